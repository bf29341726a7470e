import Serving

// Template and worker of model functions. The scheduler starts it, with the control socket on descriptor 3.

Template.run(loading: ModelFunction.load)
