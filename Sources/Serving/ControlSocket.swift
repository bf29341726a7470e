import Linux
import Wire

/// Ends a template with this status.
struct TemplateEnd: Error {
    let status: ExitStatus
}

extension FileDescriptor {
    /// Waits for the next order; `nil` at the end of the control socket.
    func nextOrder() throws(TemplateEnd) -> Message? {
        do throws(SystemError) {
            return try receiveMessage(
                bytesMax: WireLimits.controlMessageBytesMax,
                descriptorsMax: WireLimits.descriptorsMax
            )
        } catch {
            throw TemplateEnd(status: .lostConnection)
        }
    }

    /// As ``nextOrder()``, but never waits.
    func nextOrderAvailable() throws(TemplateEnd) -> Arrival {
        do throws(SystemError) {
            return try receiveMessageAvailable(
                bytesMax: WireLimits.controlMessageBytesMax,
                descriptorsMax: WireLimits.descriptorsMax
            )
        } catch {
            throw TemplateEnd(status: .lostConnection)
        }
    }

    func report(_ report: TemplateReport, with descriptor: Int32? = nil) throws(TemplateEnd) {
        do throws(SystemError) {
            try sendMessage(report.encoded(), descriptors: descriptor.map { [$0] } ?? [])
        } catch {
            throw TemplateEnd(status: .lostConnection)
        }
    }
}

extension Message {
    borrowing func order() throws(TemplateEnd) -> TemplateOrder {
        do throws(WireError) {
            return try TemplateOrder(parsing: bytes)
        } catch {
            throw TemplateEnd(status: .brokenContract)
        }
    }
}
