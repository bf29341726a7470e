import Sandboxing
import Serving

// Template and workers of code functions. The scheduler starts it, with the control socket on descriptor 3 and the folder of
// language runtimes in its environment.

//
// `thaw-jail packages` is another program in such a jail: the one that installs a bundle's packages.

if CommandLine.arguments.dropFirst().first == PackageInstall.argument {
    PackageInstall.run(Array(CommandLine.arguments.dropFirst(2)))
}
Template.run(confining: CodeFunction.confine, loading: CodeFunction.load)
