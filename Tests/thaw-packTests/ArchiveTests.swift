import Manifests
import Testing

@testable import thaw_pack

private func archive(_ write: (inout TarWriter) -> Void) throws(PackRefusal) -> Archive {
    var tar = TarWriter()
    write(&tar)
    return try Archive(tar.finished().span.bytes)
}

/// The sentence with which bytes are refused.
private func refusal(_ bytes: [UInt8]) -> String {
    do throws(PackRefusal) {
        _ = try Archive(bytes.span.bytes)
        return "not refused"
    } catch {
        return error.message
    }
}

private func refusal(_ write: (inout TarWriter) -> Void) -> String {
    var tar = TarWriter()
    write(&tar)
    return refusal(tar.finished())
}

@Suite struct `A bundle` {
    @Test func `is files at their places, directories and a leading dot left out`() throws {
        let archive = try archive {
            $0.add("./", [], kind: "5")
            $0.add("./function.yaml", "name: a")
            $0.add("model/", [], kind: "5")
            $0.add("model/config.json", "{}")
            $0.add("model/empty", "")
        }
        #expect(
            archive.files == [
                "function.yaml": 1024..<1031, "model/config.json": 2560..<2562, "model/empty": 3584..<3584,
            ]
        )
    }

    @Test func `may give long names in pax headers`() throws {
        let path = "a/" + String(repeating: "b", count: 200)
        let record = " path=\(path)\n"
        let archive = try archive {
            $0.addExtended("\(record.utf8.count + 3)\(record)")
            $0.add("short", "12345")
            $0.add("next", "")
        }
        #expect(Set(archive.files.keys) == [path, "next"])
        #expect(archive.files[path]?.count == 5)
    }
}

@Suite struct `A bundle that means no good is refused` {
    @Test(arguments: [
        ("/etc/passwd", "an absolute path; paths should be relative to the bundle"),
        ("../x", "a path with .., which could leave the bundle"),
        ("a/../../x", "a path with .., which could leave the bundle"),
        ("a/..", "a path with .., which could leave the bundle"),
        ("a//b", "a path with empty parts"),
        ("a/./b", "a path with empty parts"),
        ("a\\b", "a path with control characters or backslashes"),
        ("a\nb", "a path with control characters or backslashes"),
        ("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", "a path deeper than 16 directories"),
    ])
    func `for its paths`(path: String, reason: String) {
        #expect(refusal { $0.add(path, "x") } == "the bundle holds \"\(path)\", \(reason)")
    }

    @Test(
        arguments: [
            ("1", "a hard link"), ("2", "a symbolic link"), ("3", "a device"), ("4", "a device"), ("6", "a named pipe"),
            ("S", "a sparse file"), ("Z", "an entry of unknown kind"),
            ("L", "a long name in GNU's own form (write the archive with tar --format=pax)"),
        ] as [(Character, String)]
    )
    func `for what it holds`(kind: Character, name: String) {
        #expect(
            refusal { $0.add("x", [], kind: kind) }
                == "the bundle holds \(name), x; only files and directories are taken"
        )
    }

    @Test(arguments: [
        (["x", "x"], "x occurs twice"),
        (["x", "./x"], "x occurs twice"),
        (["x", "x/y"], "x is both a file and a directory"),
        (["x/y", "x"], "x occurs twice"),
    ])
    func `for saying two things`(paths: [String], reason: String) {
        let message = refusal { tar in
            for path in paths { tar.add(path, "") }
        }
        #expect(message == "the bundle is not an intact tar archive: \(reason)")
    }

    @Test func `for its sizes`() {
        #expect(
            refusal { $0.add("x", [], size: 1 << 32) }.hasSuffix(
                "x should have 4294967296 bytes, and the archive ends before"
            )
        )
        #expect(
            refusal {
                $0.addExtended("27 size=999999999999999\n"); $0.add("x", "")
            }.hasSuffix("an extended header is damaged")
        )
        #expect(
            refusal {
                $0.addExtended("24 size=999999999999999\n"); $0.add("x", "")
            }
            .hasSuffix("x should have 999999999999999 bytes, and the archive ends before")
        )
        #expect(
            refusal { $0.addExtended(String(repeating: "8 a=bcd\n", count: 3000)) }.hasSuffix(
                "an extended header has 24000 bytes"
            )
        )
        let many = refusal { tar in
            for index in 0...16_384 { tar.add("\(index)", "") }
        }
        #expect(many == "the bundle holds more than 16384 files and directories")
    }

    @Test func `for being cut short, damaged or continued`() {
        var tar = TarWriter()
        tar.add("function.yaml", "name: a")
        let intact = tar.finished()
        #expect(refusal(intact) == "not refused")
        for count in [1, 511, 512, 600, 1024, 1535, 1536, 2047] {
            #expect(refusal(Array(intact.prefix(count))).hasPrefix("the bundle is not an intact tar archive"))
        }
        #expect(refusal(intact + [1]).hasSuffix("something follows its end mark"))
        #expect(refusal(intact + [UInt8](repeating: 0, count: 2 << 20)).hasSuffix("bytes follow its end mark"))
        var altered = intact
        altered[0] ^= 1
        #expect(refusal(altered).hasSuffix("the header at byte 0 is damaged: its checksum is wrong"))
        #expect(refusal([]).hasPrefix("the bundle is not an intact tar archive"))
    }

    @Test(
        arguments: [([0x1F, 0x8B, 8], "gzip"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0x50, 0x4B, 3, 4], "zip")]
            as [([UInt8], String)]
    )
    func `for being compressed`(start: [UInt8], format: String) {
        #expect(
            refusal(start + Array(repeating: 7, count: 600))
                == "the bundle is a \(format) file; send it as an uncompressed tar, as `thaw deploy` does"
        )
    }

    @Test func `or taken, whatever its bytes, and never traps`() {
        var tar = TarWriter()
        tar.add("function.yaml", "name: a")
        tar.addExtended("16 path=model/x\n30 mtime=1700000000.123456789\n")
        tar.add("short", "weights")
        tar.add("dir/", [], kind: "5")
        let original = tar.finished()
        var generator = SeededGenerator(state: 3)
        var refusals = 0
        for _ in 0..<1000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = [0, 0x20, 0x30, 0x37, 0x38, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
            }
            // With right checksums the change reaches what lies behind them.
            for start in stride(from: 0, through: bytes.count - 512, by: 512) where original[start + 257] == 0x75 {
                let digits = String(TarHeader.checksum(Array(bytes[start..<start + 512])), radix: 8)
                let field = String(repeating: "0", count: 6 - digits.count) + digits
                bytes.replaceSubrange(start + 148..<start + 154, with: field.utf8)
            }
            if refusal(bytes) != "not refused" { refusals += 1 }
        }
        #expect(refusals > 100)
    }
}
