import Wire

/// The words of a refusal or a failure.
enum ReplyText {
    /// At most the contract's bytes of a message, whole characters only.
    static func cut(_ message: String) -> String {
        guard message.utf8.count > WireLimits.failureMessageBytesMax else { return message }
        var count = 0
        return String(
            message.prefix { character in
                count += character.utf8.count
                return count <= WireLimits.failureMessageBytesMax
            }
        )
    }
}
