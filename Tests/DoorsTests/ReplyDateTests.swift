import Foundation
import Testing

@testable import Doors

@Suite struct ReplyDateTests {
    @Test func `a date has the form of RFC 9110`() {
        #expect(ReplyDate.format(unixSeconds: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(ReplyDate.format(unixSeconds: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(ReplyDate.format(unixSeconds: 951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(ReplyDate.format(unixSeconds: -1) == "Wed, 31 Dec 1969 23:59:59 GMT")
    }

    @Test func `dates agree with Foundation through the centuries`() {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        for seconds in stride(from: 0, to: 7_000_000_000, by: 86_400 * 29 + 3671) {
            let expected = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
            #expect(ReplyDate.format(unixSeconds: seconds) == expected)
        }
    }

    @Test func `a second is written once and the next one anew`() {
        let date = ReplyDate()
        #expect(date.text(unixSeconds: 10) == date.text(unixSeconds: 10))
        #expect(date.text(unixSeconds: 10) != date.text(unixSeconds: 11))
    }
}
