import Testing

@testable import Digests

struct SHA256Tests {
    @Test func `the digests of the standard's examples come out, in one piece and in several`() throws {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(Hexadecimal.text(try SHA256.digest(of: Array("abc".utf8))) == expected)
        var hash = SHA256()
        for byte in "abc".utf8 { hash.update([byte]) }
        #expect(Hexadecimal.text(try hash.finalize()) == expected)
    }

    /// RFC 4231, test case 2.
    @Test func `a code with a key comes out as in the RFC`() throws {
        let code = try SHA256.authenticationCode(
            of: Array("what do ya want for nothing?".utf8),
            key: Array("Jefe".utf8)
        )
        #expect(Hexadecimal.text(code) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test func `texts are equal to themselves alone`() {
        #expect(Hexadecimal.areEqual("abc", "abc"))
        #expect(!Hexadecimal.areEqual("abc", "abd"))
        #expect(!Hexadecimal.areEqual("abc", "ab"))
        #expect(Hexadecimal.areEqual("", ""))
    }
}
