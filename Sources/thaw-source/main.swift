// The program between the scheduler and one broker: the broker's library, which is C and reads what strangers sent, runs
// here, where its death costs a reconnection. Requests come as lines of JSON on 0, answers go as lines on 1.
import Linux

do {
    var loop = try SourceLoop()
    try loop.run()
} catch {
    CurrentProcess.log(Array("thaw-source: \(error)\n".utf8))
    CurrentProcess.exit(1)
}
