import CSeccomp
package import Linux

extension Policy {
    /// What happens to a call that no rule allows.
    package enum Refusal: Sendable {
        /// It waits in the scheduler's hands, which name it and kill its caller. For templates and packers.
        case notify
        /// The caller gets SIGSYS, notes the call's number and ends. For workers: a process can have one listener
        /// in all its filters, and a worker has inherited its template's.
        case trap
        /// The caller is told that it may not. For programs of authors, which try what they can do without.
        case deny
    }

    /// Compiles the rules to what the kernel runs; costs some milliseconds, once.
    ///
    /// A call of another architecture's convention ends the process whatever the rules say.
    package func compiled(refusing refusal: Refusal) throws(PolicyError) -> SystemCallFilter {
        let action =
            switch refusal {
            // A kernel before 5.0 cannot notify: the call then ends the process without its name.
            case .notify: seccomp_api_get() >= 5 ? SCMP_ACT_NOTIFY : SCMP_ACT_KILL_PROCESS
            case .trap: SCMP_ACT_TRAP
            case .deny: PolicyCompiler.notPermitted
            }
        guard let compiler = PolicyCompiler(file: "\(name).policy", action: action) else {
            throw .whole(file: "\(name).policy", problem: "libseccomp has no memory for a filter")
        }
        try compiler.set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)
        // A search tree instead of a list: five comparisons for any call.
        try compiler.set(SCMP_FLTATR_CTL_OPTIMIZE, 2)
        for rule in rules {
            try compiler.add(rule)
        }
        return try compiler.exported()
    }
}

/// A filter of libseccomp in the making.
@safe private struct PolicyCompiler: ~Copyable {
    private let context: scmp_filter_ctx
    private let file: String

    /// SCMP_ACT_ERRNO(ENOSYS), a macro with an argument: the errno is in the low 16 bits.
    private static let absent: UInt32 = 0x0005_0000 | UInt32(SystemError.notImplemented)
    static let notPermitted: UInt32 = 0x0005_0000 | UInt32(SystemError.notPermitted)

    init?(file: String, action: UInt32) {
        guard let made = unsafe seccomp_init(action) else { return nil }
        unsafe context = unsafe made
        self.file = file
    }

    deinit {
        unsafe seccomp_release(context)
    }

    func set(_ attribute: scmp_filter_attr, _ value: UInt32) throws(PolicyError) {
        let code = unsafe seccomp_attr_set(context, attribute, value)
        guard code == 0 else {
            throw .whole(file: file, problem: "libseccomp refuses an attribute: \(SystemError.text(code))")
        }
    }

    func add(_ rule: PolicyRule) throws(PolicyError) {
        let number = unsafe seccomp_syscall_resolve_name(rule.call)
        guard number >= 0 else {
            throw .line(file: rule.file, line: rule.line, problem: "no system call has the name `\(rule.call)`")
        }
        let comparisons = rule.conditions.map { condition in
            switch condition.comparison {
            case .equal: scmp_arg_cmp(condition, SCMP_CMP_EQ)
            case .notEqual: scmp_arg_cmp(condition, SCMP_CMP_NE)
            case .less: scmp_arg_cmp(condition, SCMP_CMP_LT)
            case .lessOrEqual: scmp_arg_cmp(condition, SCMP_CMP_LE)
            case .greater: scmp_arg_cmp(condition, SCMP_CMP_GT)
            case .greaterOrEqual: scmp_arg_cmp(condition, SCMP_CMP_GE)
            case .maskedEqual(let mask):
                scmp_arg_cmp(
                    arg: UInt32(condition.argument),
                    op: SCMP_CMP_MASKED_EQ,
                    datum_a: mask,
                    datum_b: condition.value
                )
            }
        }
        let code = unsafe seccomp_rule_add_array(
            context,
            rule.isAbsent ? Self.absent : SCMP_ACT_ALLOW,
            number,
            UInt32(comparisons.count),
            comparisons
        )
        guard code == 0 else {
            let problem = "libseccomp refuses the rule: \(SystemError.text(code))"
            throw .line(file: rule.file, line: rule.line, problem: problem)
        }
    }

    func exported() throws(PolicyError) -> SystemCallFilter {
        do throws(SystemError) {
            let program = try FileDescriptor.memoryFile("policy")
            let code = unsafe seccomp_export_bpf(context, program.rawValue)
            guard code == 0 else { throw SystemError(call: "seccomp_export_bpf", code: -code) }
            return SystemCallFilter(instructions: try program.pread(count: try program.size(), at: 0))
        } catch {
            throw .whole(file: file, problem: "the filter cannot be exported: \(error)")
        }
    }
}

extension scmp_arg_cmp {
    fileprivate init(_ condition: ArgumentCondition, _ comparison: scmp_compare) {
        self.init(arg: UInt32(condition.argument), op: comparison, datum_a: condition.value, datum_b: 0)
    }
}

extension SystemError {
    /// What libseccomp means: it answers a negative errno.
    fileprivate static func text(_ code: Int32) -> String {
        SystemError(call: "libseccomp", code: -code).description
    }
}
