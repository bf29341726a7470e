/// What `thaw init` can begin a function with.
enum FunctionTemplate: String, CaseIterable, Sendable {
    case python, provided, model

    /// As help shows them.
    static var list: String {
        allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: ", ")
    }

    struct File {
        var path: String
        var text: String
        var isExecutable = false
    }

    var summary: String {
        switch self {
        case .python: "a Python function"
        case .provided: "any program that speaks the Lambda Runtime API; here a shell script"
        case .model: "an ONNX model"
        }
    }

    func nextStep(name: String) -> String {
        switch self {
        case .python, .provided:
            "thaw dev \(name), and in another terminal: thaw invoke \(name) -d '{\"name\": \"you\"}'"
        case .model: "put your model at \(name)/model.onnx, then: thaw deploy \(name)"
        }
    }

    func files(name: String) -> [File] {
        switch self {
        case .python:
            return [
                File(path: "function.yaml", text: "name: \(name)\nruntime: python3\nhandler: app.handler\n"),
                File(path: "app.py", text: Self.pythonText),
            ]
        case .provided:
            return [
                File(path: "function.yaml", text: "name: \(name)\nruntime: provided\n"),
                File(path: "bootstrap", text: Self.shellText, isExecutable: true),
            ]
        case .model:
            return [
                File(
                    path: "function.yaml",
                    text: "name: \(name)\nmodel:\n  source: model.onnx\n  task: tensor\n"
                )
            ]
        }
    }

    private static let pythonText = """
        \"\"\"A function: what it is called with comes in, what it returns goes out, both as JSON.\"\"\"

        # What stands here runs once, before the first call; workers begin with it done.
        GREETING = "Hello"


        def handler(event, context):
            name = event.get("name", "world") if isinstance(event, dict) else "world"
            print(f"greeting {name}, invocation {context.aws_request_id}")
            return {"message": f"{GREETING}, {name}!"}

        """

    private static let shellText = """
        #!/bin/sh
        # A function as any program can be one: ask for the next call, answer it, again and again.
        api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
        while true; do
            event=$(curl -sS -D /tmp/headers "$api/next") || exit 1
            id=$(tr -d '\\r' < /tmp/headers | sed -n 's/^lambda-runtime-aws-request-id: //Ip')
            curl -sS -o /dev/null -d "{\\"received\\": $event}" "$api/$id/response" || exit 1
        done

        """
}
