import ArgumentParser

/// The `thaw` command: the node itself (`serve`) and everything one asks of a node.
///
/// Exit codes: 0 done · 1 the node, the function or a file refused, with one sentence on the standard error output ·
/// 64 the command line is wrong.
@main
struct Thaw: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "thaw",
        abstract: "Deploy a model, call it over HTTP, let it scale to zero.",
        discussion: """
            THAW_URL is the node that commands talk to (default http://127.0.0.1:8080), THAW_TOKEN its bearer token. \
            With --json a command prints exactly one JSON document. \
            Exit codes: 0 done, 1 refused or failed, 64 wrong command line.
            """,
        groupedSubcommands: [
            CommandGroup(name: "Node", subcommands: [ServeCommand.self, PoolsCommand.self, CollectCommand.self]),
            CommandGroup(
                name: "Functions",
                subcommands: [
                    InitCommand.self, DevCommand.self, DeployCommand.self, InvokeCommand.self, ListCommand.self,
                    DescribeCommand.self,
                    DeleteCommand.self, LogsCommand.self, ReceiptsCommand.self, EventsCommand.self,
                    SecretCommand.self, SourcesCommand.self, TriggersCommand.self,
                ]
            ),
            CommandGroup(
                name: "Versions",
                subcommands: [VersionsCommand.self, AliasCommand.self, RollbackCommand.self]
            ),
            CommandGroup(name: "Files", subcommands: [InspectCommand.self]),
        ]
    )
}
