import Sandboxing
import Serving

// Template and workers of code functions. The scheduler starts it, with the control socket on descriptor 3 and the folder of
// language runtimes in its environment.

Template.run(confining: CodeFunction.confine, loading: CodeFunction.load)
