import CProbe
import Foundation
import Linux
import Sandboxing
import Testing

/// Each rule of the product's policies, twice: what it allows passes in a child under the filter, what stands beside
/// it is refused and named.
struct RoleTests {
    enum Role: String, CaseIterable {
        case packer, template, worker

        var refusal: Policy.Refusal { self == .worker ? .trap : .notify }
    }

    @Test func `the policies of the product compile`() throws {
        let policies = try Policies(folder: RoleTests.folder)
        for filter in [policies.packer, policies.template, policies.worker, policies.code, policies.codeWorker] {
            #expect(filter.instructions.count % 8 == 0)
            // The kernel's limit, and the contract's.
            #expect((8...4096 * 8).contains(filter.instructions.count))
        }
    }

    @Test(arguments: Role.allCases)
    func `every call that a policy allows passes`(role: Role) throws {
        let policy = try policy(role)
        let filter = try policy.compiled(refusing: role.refusal)
        // A bare rt_sigreturn loads every register from whatever lies on the stack: what happens then proves nothing.
        for rule in policy.rules where rule.call != "rt_sigreturn" && !rule.isAbsent {
            let number = try #require(SystemCall.number(of: rule.call))
            let probe = try probe(filter, role, number, arguments(satisfying: rule))
            // A futex operation that there is none of is answered like a call that there is none of.
            #expect([probe_passed, probe_absent].contains(probe.result), "\(rule.call) of \(rule.file):\(rule.line)")
        }
    }

    @Test(arguments: Role.allCases)
    func `every call that a policy does not name is refused by its name`(role: Role) throws {
        let policy = try policy(role)
        let filter = try policy.compiled(refusing: role.refusal)
        for number in 0..<Int32(464) {
            let name = SystemCall.name(of: number)
            guard !name.hasPrefix("call "), !policy.mentions(name), !policy.hides(name) else { continue }
            let probe = try probe(filter, role, number, [Int](repeating: -1, count: 6))
            #expect(probe.result == probe_refused && probe.named == number, "\(name)")
        }
    }

    @Test func `a template is told that there is no clone3, and its worker dies of asking`() throws {
        let template = try policy(.template)
        let number = try #require(SystemCall.number(of: "clone3"))
        let arguments = [Int](repeating: -1, count: 6)
        let probe = try probe(try template.compiled(refusing: .notify), .template, number, arguments)
        #expect(template.hides("clone3") && probe.result == probe_absent)
        // Where both filters answer, the kernel takes the harder answer.
        #expect(try !policy(.worker).hides("clone3") && !policy(.packer).hides("clone3"))
    }

    @Test(arguments: Role.allCases)
    func `a call with arguments that no rule allows is refused by its name`(role: Role) throws {
        let policy = try policy(role)
        let filter = try policy.compiled(refusing: role.refusal)
        for rule in policy.rules {
            for condition in rule.conditions {
                let number = try #require(SystemCall.number(of: rule.call))
                var arguments = arguments(satisfying: rule)
                arguments[condition.argument] = violation(condition)
                let probe = try probe(filter, role, number, arguments)
                #expect(probe.result == probe_refused && probe.named == number, "\(rule.call), \(condition)")
            }
        }
    }

    @Test(arguments: Role.allCases)
    func `nothing is opened, connected, executed, traced or mounted by any role`(role: Role) throws {
        let policy = try policy(role)
        for call in [
            "open", "openat", "openat2", "creat", "socket", "connect", "accept4", "bind", "execve", "execveat", "fork",
            "vfork", "clone3", "ptrace", "process_vm_readv", "mount", "unshare", "setns", "pivot_root", "bpf",
            "io_uring_setup", "perf_event_open", "keyctl", "userfaultfd", "kill", "pidfd_send_signal", "init_module",
        ] {
            #expect(!policy.mentions(call), "\(call)")
        }
    }

    @Test func `a program of an author's reaches beyond its own processes, files and network by no call`() throws {
        let policy = try policy(named: "code")
        for call in [
            "mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "fsopen", "fsmount", "move_mount",
            "open_tree",
            "mount_setattr", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd",
            "kcmp",
            "bpf", "io_uring_setup", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key",
            "init_module",
            "finit_module", "delete_module", "kexec_load", "reboot", "swapon", "settimeofday", "clock_settime",
            "adjtimex",
            "sethostname", "quotactl", "acct", "iopl", "ioperm", "open_by_handle_at", "name_to_handle_at", "syslog",
        ] {
            #expect(!policy.mentions(call), "\(call)")
        }
        #expect(policy.hides("clone3"))
        // A copy may have no namespace of its own, whichever it is.
        let masks = policy.rules.filter { $0.call == "clone" }.flatMap(\.conditions).map(\.comparison)
        #expect(masks == [.maskedEqual(mask: 0x7e02_0000)])
        for call in ["execve", "openat", "socket", "fork", "mmap", "connect", "kill"] {
            #expect(policy.mentions(call), "\(call)")
        }
    }

    @Test func `a zygote may ask for no more than a program does, but to enter namespaces of four kinds`() throws {
        let (zygote, code) = (try policy(named: "zygote"), try policy(named: "code"))
        let more = zygote.rules.filter { $0.call == "setns" }
        #expect(zygote.rules.filter { $0.call != "setns" } == code.rules)
        // Mounts, shared memory, processes, network; no user namespace, in which it would have all power.
        let kinds = [0x20000, 0x0800_0000, 0x2000_0000, 0x4000_0000] as [UInt64]
        #expect(more.flatMap(\.conditions).map(\.value).sorted() == kinds)
        #expect(more.flatMap(\.conditions).allSatisfy { $0.argument == 1 && $0.comparison == .equal })
    }

    @Test func `the worker beside a program opens, starts and mounts nothing`() throws {
        let policy = try policy(named: "code-worker")
        for call in [
            "open", "openat", "socket", "connect", "bind", "execve", "fork", "vfork", "mount", "unshare", "setns",
            "ptrace",
            "bpf", "io_uring_setup", "kill", "init_module", "capset",
        ] {
            #expect(!policy.mentions(call), "\(call)")
        }
    }

    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "runtime/policies").path

    private func policy(_ role: Role) throws -> Policy {
        try policy(named: role.rawValue)
    }

    private func policy(named name: String) throws -> Policy {
        try Policy(named: name) { (name) throws(PolicyError) -> String in
            let file = "\(RoleTests.folder)/\(name).policy"
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw .unreadable(file: file, reason: "the test cannot read it")
            }
            return text
        }
    }

    private func probe(
        _ filter: SystemCallFilter,
        _ role: Role,
        _ number: Int32,
        _ arguments: [Int]
    ) throws -> (result: probe_result, named: Int32) {
        var named: Int32 = -1
        let bytes = filter.instructions
        let result = probe_under_filter(bytes, bytes.count, role == .worker ? 0 : 1, number, arguments, &named)
        try #require(result != probe_failed, "the probe of \(SystemCall.name(of: number)) did not come about")
        return (result, named)
    }

    /// Everything else is -1: no such descriptor, no such address, so that an allowed call does no harm.
    private func arguments(satisfying rule: PolicyRule) -> [Int] {
        var arguments = [Int](repeating: -1, count: 6)
        for condition in rule.conditions {
            arguments[condition.argument] = Int(truncatingIfNeeded: condition.value)
        }
        return arguments
    }

    private func violation(_ condition: ArgumentCondition) -> Int {
        switch condition.comparison {
        case .maskedEqual(let mask): Int(truncatingIfNeeded: condition.value ^ mask)
        case .equal: Int(truncatingIfNeeded: condition.value &+ 0x1000_0000_0000)
        default: -1
        }
    }
}
