import CLinux
import Glibc

// The only file of the house that reads errno, and it does so in the same breath as the call: anything between
// the two (a release that frees, say) may change it.

/// Makes a call that answers -1 on failure.
///
/// The name is the call and its subject, for the error, and is built only on failure.
@inline(never)
func checked<Result: FixedWidthInteger>(
    _ name: @autoclosure () -> String,
    _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result != -1 { return result }
        let code = errno
        if code == EINTR { continue }
        throw SystemError(call: name(), code: code)
    }
}

/// Makes a call that must not be repeated after a signal: `close` gives the number back in any case.
@inline(never)
func checkedOnce<Result: FixedWidthInteger>(
    _ name: @autoclosure () -> String,
    _ call: () -> Result
) throws(SystemError) -> Result {
    let result = call()
    if result != -1 { return result }
    let code = errno
    throw SystemError(call: name(), code: code)
}

/// Makes a call that answers `nil` where it would have to wait.
@inline(never)
func checkedUnlessBlocked<Result: FixedWidthInteger>(
    _ name: @autoclosure () -> String,
    _ call: () -> Result
) throws(SystemError) -> Result? {
    while true {
        let result = call()
        if result != -1 { return result }
        let code = errno
        if code == EINTR { continue }
        if code == EAGAIN || code == EWOULDBLOCK { return nil }
        throw SystemError(call: name(), code: code)
    }
}

/// Makes a call that answers its error as a value, as those of pthreads do.
func checkedCode(_ name: @autoclosure () -> String, _ code: Int32) throws(SystemError) {
    guard code == 0 else { throw SystemError(call: name(), code: code) }
}

extension SystemError {
    package static let noSuchFile = ENOENT
    package static let exists = EEXIST
    package static let notPermitted = EPERM
    package static let accessDenied = EACCES
    package static let noSpace = ENOSPC
    package static let wouldBlock = EAGAIN
    package static let notImplemented = ENOSYS
    package static let invalidArgument = EINVAL
    package static let brokenPipe = EPIPE
    package static let noChild = ECHILD
    package static let noProcess = ESRCH
    package static let connectionReset = ECONNRESET
    package static let tooLong = E2BIG
    package static let inputOutput = EIO

    /// The sentence of the C library, as in `No such file or directory`.
    static func text(of code: Int32) -> String {
        guard let text = unsafe thaw_error_text(code) else { return "unknown error \(code)" }
        return unsafe String(cString: text)
    }

    /// The constant's name, as in `ENOENT`.
    static func name(of code: Int32) -> String {
        guard let name = unsafe thaw_error_name(code) else { return "errno \(code)" }
        return unsafe String(cString: name)
    }
}
