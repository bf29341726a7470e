import AsyncHTTPClient
import Digests
import Doors
import Events
import Linux
import NIOCore
import NIOHTTP1

/// Asks buckets, signed with the keys of their sources.
struct BucketClient: Sendable {
    let client: HTTPClient

    private static let timeout: TimeAmount = .seconds(30)

    func fetch(_ address: BucketAddress, _ path: String, _ query: String) async throws(SourceError)
        -> BucketSource.Answer
    {
        var request = HTTPClientRequest(url: "\(address.endpoint)\(path)?\(query)")
        request.headers.add(name: "Host", value: address.host)
        if let keyID = address.keyID, let secret = address.secret {
            let signer = RequestSigner(keyID: keyID, secret: secret, region: address.region, service: "s3")
            do throws(DigestError) {
                let headers = try signer.headers(
                    path: path,
                    query: query,
                    host: address.host,
                    unixSeconds: Int(Clock.wallNanoseconds() / 1_000_000_000)
                )
                for (name, value) in headers { request.headers.add(name: name, value: value) }
            } catch {
                throw SourceError("\(address.shown): the request could not be signed: \(error)")
            }
        }
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            let body = try await response.body.collect(upTo: BucketSource.answerBytesMax)
            return BucketSource.Answer(status: Int(response.status.code), body: Array(body.readableBytesView))
        } catch {
            throw SourceError("\(address.shown): \(address.endpoint) could not be asked: \(error)")
        }
    }
}
