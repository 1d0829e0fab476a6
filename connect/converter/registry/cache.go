package registry

// Cache is a map of bounded size. Which entry makes room for a new one is
// left to chance. It is used by one goroutine at a time.
type Cache[K comparable, V any] struct {
	entries map[K]V
	size    int
}

// NewCache returns a cache of at most size entries, at least one.
func NewCache[K comparable, V any](size int) Cache[K, V] {
	return Cache[K, V]{entries: map[K]V{}, size: max(1, size)}
}

// Get returns the entry of a key and whether there is one.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	v, ok := c.entries[key]
	return v, ok
}

// Put adds or replaces an entry.
func (c *Cache[K, V]) Put(key K, value V) {
	if _, there := c.entries[key]; !there {
		for k := range c.entries {
			if len(c.entries) < c.size {
				break
			}
			delete(c.entries, k)
		}
	}
	c.entries[key] = value
}

// Len returns the number of entries.
func (c *Cache[K, V]) Len() int { return len(c.entries) }
