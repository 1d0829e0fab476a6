package avro

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"

	"kconnect/connect/config"
	"kconnect/connect/converter/registry"
)

// TestForgetsSchemas: records of ever new ids, each of a schema of its own,
// leave no more memory in use than schemas.cache.config of them (Promise 6).
// With SOAK set they are a million.
func TestForgetsSchemas(t *testing.T) {
	distinct := 3_000
	if cmp.Or(os.Getenv("SOAK"), "0s") != "0s" {
		distinct = 1_000_000
	}
	// srfake would remember them all.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = w.Write([]byte(`{"subject":"t-value","version":1,"id":1,"schema":"{}"}`))
			return
		}
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		_, _ = fmt.Fprintf(w, `{"schema":"{\"type\":\"record\",\"name\":\"R%s\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"}]}"}`, id)
	}))
	defer server.Close()
	c := &Converter{}
	if err := c.Configure(config.Map{"schema.registry.url": server.URL, "schemas.cache.config": "500"}, false); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	one := func(id int) {
		s, v, err := c.Decode("t", append(registry.AppendPrefix(nil, id), 2))
		if err != nil || s.Name() != fmt.Sprint("R", id) || v.Struct().At(0).Int() != 1 {
			t.Fatalf("%d: %s %s, %v", id, s, v, err)
		}
	}
	for id := range 1_000 { // the memory is full
		one(id)
	}
	before := inUse()
	for id := range distinct {
		one(1_000 + id)
	}
	if grown := int64(inUse()) - int64(before); grown > 4<<20 {
		t.Errorf("%d bytes more are in use after %d schemas", grown, distinct)
	}
	runtime.KeepAlive(c)
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
