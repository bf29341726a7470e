import Testing

@testable import Manifests

@Suite struct `A quantity` {
    @Test(
        arguments: [
            ("1B", 1), ("64KiB", 65_536), ("512MiB", 536_870_912), ("2GiB", 2_147_483_648), ("3kB", 3000),
            ("3MB", 3_000_000),
            ("3GB", 3_000_000_000), ("0B", 0),
        ] as [(String, UInt64)]
    )
    func `of bytes has a unit`(text: String, bytes: UInt64) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test(arguments: [
        "1", "B", "", "1 MiB", "1.5MiB", "-1B", "+1B", "01B", "1mib", "1Mi", "999999999999999999GiB", "１MB",
    ])
    func `of bytes in another form is none`(text: String) {
        #expect(Quantity.bytes(text) == nil)
    }

    @Test(arguments: [("500ms", 500), ("30s", 30_000), ("15m", 900_000), ("24h", 86_400_000), ("0s", 0)])
    func `of time has a unit`(text: String, milliseconds: Int) {
        #expect(Quantity.milliseconds(text) == milliseconds)
    }

    @Test(arguments: ["30", "s", "1.5s", "1d", "10 s", "-1s", "1S", "999999999999999999h"])
    func `of time in another form is none`(text: String) {
        #expect(Quantity.milliseconds(text) == nil)
    }
}
