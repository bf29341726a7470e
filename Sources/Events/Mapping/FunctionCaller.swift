package import ControlPlane
import Invoking
package import NIOCore
import Wire

/// Calls functions by their names in the Lambda API, for what happens on the node itself: events, batches of sources.
package struct FunctionCaller: Sendable {
    package typealias Invoke = EventRunner.Invoke

    private let plane: ControlPlane
    private let loop: any EventLoop
    private let invoke: Invoke

    package init(plane: ControlPlane, loop: any EventLoop, invoke: @escaping Invoke) {
        self.plane = plane
        self.loop = loop
        self.invoke = invoke
    }

    /// Runs one attempt to its end.
    ///
    /// - Parameter identity: of the receipt; nil for one of its own.
    /// - Returns: how it ended, and which version ran.
    func call(
        _ reference: FunctionReference,
        contentType: String = "application/json",
        clientContext: String = "",
        body: [UInt8],
        identity: CallIdentity? = nil
    ) async -> (EventOutcome, executed: String?) {
        let target: LambdaTarget
        do throws(LambdaError) {
            target = try plane.target(of: reference, chance: Double.random(in: 0..<1))
        } catch {
            return (error.code == .resourceConflict ? .throttled : .gone(reason: error.message), nil)
        }
        guard !target.isStopped else { return (.stopped, nil) }
        var call = Call(
            function: target.registryName,
            qualifier: target.registryVersion.map(String.init),
            contentType: contentType,
            form: target.isCode ? .lambda(LambdaCall(functionARN: target.arn, clientContext: clientContext)) : .own,
            body: ByteBuffer(bytes: body)
        )
        if let identity { call.identity = identity }
        let completion = await withCheckedContinuation { continuation in
            loop.execute { [invoke, loop, call] in
                invoke(call, loop) { continuation.resume(returning: $0) }
            }
        }
        do throws(LambdaError) {
            let outcome = try LambdaOutcome(completion, isReserved: target.isReserved)
            let body = Array(outcome.body.readableBytesView)
            return (outcome.isFunctionError ? .failed(body: body) : .succeeded(body: body), target.label)
        } catch {
            return (error.code == .resourceNotFound ? .gone(reason: error.message) : .throttled, nil)
        }
    }
}
