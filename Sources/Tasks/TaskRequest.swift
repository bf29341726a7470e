package import Wire

/// One call, as a task gets it.
package struct TaskRequest: Sendable {
    package var form: CallForm
    package var contentType: String
    package var body: [UInt8]

    package init(form: CallForm = .own, contentType: String, body: [UInt8]) {
        self.form = form
        self.contentType = contentType
        self.body = body
    }
}
