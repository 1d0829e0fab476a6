package data

import "unicode/utf16"

// HashMapOrder returns keys, which must be distinct, in the order in which a
// Java HashMap iterates over them after they were put into it one by one, in
// the given order. The argument is not changed.
//
// Offset keys need it: Java looks an offset up by the bytes of the key, and
// those hold the partition's map in this order.
func HashMapOrder(keys []string) []string {
	return HashMapOrderCapacity(keys, 16)
}

// HashMapOrderCapacity is [HashMapOrder] for a map made by
// new HashMap<>(capacity).
func HashMapOrderCapacity(keys []string, capacity int) []string {
	size := 1
	for size < capacity {
		size *= 2
	}
	for len(keys) > size*3/4 {
		size *= 2
	}
	// Doubling a table splits each bucket in order, so keys that share a bucket
	// stay in the order of insertion whatever the sizes on the way: a counting
	// sort by the final bucket is the whole of it.
	next := make([]int, size+1)
	buckets := make([]int, len(keys))
	for i, k := range keys {
		h := stringHash(k)
		buckets[i] = int((h ^ h>>16) & uint32(size-1))
		next[buckets[i]+1]++
	}
	for b := 1; b <= size; b++ {
		next[b] += next[b-1]
	}
	ordered := make([]string, len(keys))
	for i, k := range keys {
		ordered[next[buckets[i]]] = k
		next[buckets[i]]++
	}
	return ordered
}

// HashMapCopyOrder is the order after new HashMap<>(other) (up to Java 18,
// which is what the recordings were made with): task configurations are such copies.
func HashMapCopyOrder(keys []string) []string {
	return HashMapOrderCapacity(keys, int(float32(len(keys))/0.75+1))
}

// stringHash is Java's String.hashCode, over UTF-16 units.
func stringHash(s string) uint32 {
	var h uint32
	for _, r := range s {
		if r1, r2 := utf16.EncodeRune(r); r1 != '\uFFFD' {
			h = 31*h + uint32(r1)
			r = r2
		}
		h = 31*h + uint32(r)
	}
	return h
}
