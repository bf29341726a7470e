import CLinux
import Glibc

/// An address of the Internet Protocol: 4 bytes, or 16.
package struct NetworkAddress: Hashable, Sendable {
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Of this machine's own loopback.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
}

/// Where packets of this process's network may go.
package enum Routes {
    /// From here on no packet of this network goes there; it must be one of this process's own.
    ///
    /// - Parameter prefixBits: how many of the first bits count; nil for all.
    package static func refuse(_ address: NetworkAddress, prefixBits: Int? = nil) throws(SystemError) {
        let bits = Int32(clamping: prefixBits ?? address.bytes.count * 8)
        do throws(SystemError) {
            _ = try checked("ioctl SIOCADDRT") {
                unsafe thaw_refuse_route(address.bytes, Int32(address.bytes.count), bits)
            }
        } catch {
            // It is closed already, or this kernel has no such protocol.
            guard error.code == EEXIST || error.code == EAFNOSUPPORT else { throw error }
        }
    }

    /// Whether packets to anywhere have a way.
    package static func hasDefault() -> Bool {
        let isVersion4 = rows("/proc/net/route").contains { $0.count > 7 && $0[1] == "00000000" && $0[7] == "00000000" }
        return isVersion4
            || rows("/proc/net/ipv6_route").contains { row in
                row.count > 9 && row[1] == "00" && row[0].allSatisfy { $0 == "0" } && row[9] != "lo"
            }
    }

    /// The addresses of the network in which this process began, loopback aside.
    ///
    /// `/proc/self` is the first thread: one that has entered another network sees the machine's all the same.
    package static func addressesOfMachine() -> [NetworkAddress] {
        let table = rows("/proc/self/net/fib_trie")
        var found: Set<NetworkAddress> = []
        for (leaf, entry) in zip(table, table.dropFirst()) where leaf.first == "|--" && entry.starts(with: localEntry) {
            let bytes = leaf[1].split(separator: ".").compactMap { UInt8($0) }
            if let address = NetworkAddress(bytes: bytes) { found.insert(address) }
        }
        for row in rows("/proc/self/net/if_inet6") {
            guard let digits = row.first.map({ Array($0.utf8) }), digits.count == 32 else { continue }
            let bytes = stride(from: 0, to: 32, by: 2).compactMap { index in
                UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)
            }
            if let address = NetworkAddress(bytes: bytes) { found.insert(address) }
        }
        return found.filter { !$0.isLoopback }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    private static let localEntry: [Substring] = ["/32", "host", "LOCAL"]

    private static func rows(_ path: String) -> [[Substring]] {
        guard let bytes = try? FileDescriptor.open(path).readAll(countMax: 4 << 20) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
            .map { row in row.flatMap { $0.split(separator: "\t") } }
    }
}
