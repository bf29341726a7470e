import Testing

@testable import Digests

struct PercentTests {
    @Test(arguments: [
        ("", ""), ("a%20b", "a b"), ("%c3%A9", "é"), ("100%", "100%"), ("%4", "%4"), ("%zz", "%zz"), ("%2541", "%41"),
        ("%%41", "%A"), ("%41%", "A%"),
    ])
    func `two digits behind a percent sign are a byte, read once, and anything else stays`(text: String, plain: String)
    {
        #expect(Hexadecimal.decodingPercents(Array(text.utf8)) == Array(plain.utf8))
    }
}
