import JSON
import Testing

@Suite struct JSONWriterTests {
    @Test func `commas and nesting come out right`() throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("rows")
        writer.beginArray()
        for row in [[1.5, -0.25], []] as [[Float]] {
            writer.beginArray()
            for value in row { try writer.number(value) }
            writer.endArray()
        }
        writer.endArray()
        writer.key("n")
        writer.integer(3)
        writer.key("ok")
        writer.bool(true)
        writer.key("none")
        writer.null()
        writer.endObject()
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == #"{"rows":[[1.5,-0.25],[]],"n":3,"ok":true,"none":null}"#
        )
    }

    @Test func `strings are escaped so that any reader gets them back`() throws {
        let text = "\"\\\u{0}\u{1F}\n\t/é😀\u{7F}\u{2028}"
        #expect(try JSON.parse(JSON.string(text).encoded()) == .string(text))
        #expect(try JSON.string("\n\u{1}").encoded() == Array(#""\n\u0001""#.utf8))
    }

    @Test func `every float reads back as the same float`() throws {
        var random = SplitMix64(state: 3)
        var values: [Float] = [0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e-5, 16_777_216, 0.1]
        while values.count < 2000 {
            let value = Float(bitPattern: UInt32.random(in: .min ... .max, using: &random))
            if value.isFinite { values.append(value) }
        }
        var writer = JSONWriter()
        writer.beginArray()
        for value in values { try writer.number(value) }
        writer.endArray()
        let read = try #require(try JSON.parse(writer.bytes).arrayValue)
        #expect(read.compactMap { $0.doubleValue.map { Float($0).bitPattern } } == values.map(\.bitPattern))
    }

    @Test func `a number that JSON cannot say is an error`() {
        var writer = JSONWriter()
        #expect(throws: JSONError.notFinite) { try writer.number(Float.nan) }
        #expect(throws: JSONError.notFinite) { try writer.number(-Double.infinity) }
    }
}
