/// Which of many things comes first: a binary heap that also knows where each of its keys stands.
///
/// Setting, changing and removing cost O(log n), the first is at hand. Of equal priorities the lower key is first, so
/// that the same events give the same order.
struct PriorityIndex<Priority: Comparable & Sendable>: Sendable {
    private struct Entry {
        var key: Int
        var priority: Priority
    }

    private var heap: [Entry] = []
    private var placeOf: [Int: Int] = [:]

    var isEmpty: Bool { heap.isEmpty }

    var first: (key: Int, priority: Priority)? {
        heap.first.map { ($0.key, $0.priority) }
    }

    mutating func set(_ key: Int, _ priority: Priority) {
        let entry = Entry(key: key, priority: priority)
        guard let place = placeOf[key] else {
            heap.append(entry)
            placeOf[key] = heap.count - 1
            return rise(heap.count - 1)
        }
        heap[place] = entry
        rise(place)
        sink(placeOf[key] ?? place)
    }

    mutating func remove(_ key: Int) {
        guard let place = placeOf.removeValue(forKey: key) else { return }
        let last = heap.removeLast()
        guard place < heap.count else { return }
        heap[place] = last
        placeOf[last.key] = place
        rise(place)
        sink(placeOf[last.key] ?? place)
    }

    private func precedes(_ left: Entry, _ right: Entry) -> Bool {
        if left.priority < right.priority { return true }
        return left.priority == right.priority && left.key < right.key
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, precedes(heap[place], heap[(place - 1) / 2]) {
            exchange(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && precedes(heap[child], heap[least]) {
                least = child
            }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        heap.swapAt(one, other)
        placeOf[heap[one].key] = one
        placeOf[heap[other].key] = other
    }
}
