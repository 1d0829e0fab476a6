package rest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"kconnect/connect/herder"
)

func (s *Server) offsets(r *call) error {
	entries, err := s.herder.Offsets(r.ctx, r.name())
	if err != nil {
		return err
	}
	out := make([]herder.OffsetEntry, len(entries))
	for i, e := range entries {
		out[i] = herder.OffsetEntry{Partition: javaNumbers(e.Partition), Offset: javaNumbers(e.Offset)}
	}
	return r.json(http.StatusOK, map[string]any{"offsets": out})
}

// javaNumbers returns m with doubles that show as such. encoding/json writes
// 1.0 as 1, which a client that sends it back would turn into a long.
func javaNumbers(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		if f, ok := v.(float64); ok {
			text := strconv.FormatFloat(f, 'g', -1, 64)
			if !strings.ContainsAny(text, ".eIN") {
				text += ".0"
			}
			v = json.Number(text)
		}
		out[k] = v
	}
	return out
}

func (s *Server) alterOffsets(r *call) error {
	doc, tok, err := r.document()
	if err != nil {
		return err
	}
	if tok == nil {
		return missing("an object with \"offsets\"")
	}
	var changes []herder.OffsetEntry
	err = doc.object("the request", tok, 0, func(key string, val json.Token, at int) error {
		if key != "offsets" {
			return doc.unknown(key, at, "offsets")
		}
		changes = nil
		if val == nil {
			return nil
		}
		return doc.array(strconv.Quote(key), val, at, func(val json.Token, at int) error {
			change, err := doc.change(val, at)
			changes = append(changes, change)
			return err
		})
	})
	if err != nil {
		return err
	}
	if len(changes) == 0 {
		return &herder.BadRequestError{Message: "Partitions / offsets need to be provided for an alter offsets request"}
	}
	message, err := s.herder.AlterOffsets(r.ctx, r.name(), changes)
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, map[string]string{"message": message})
}

func (d *document) change(tok json.Token, at int) (herder.OffsetEntry, error) {
	var c herder.OffsetEntry
	err := d.object("an item of \"offsets\"", tok, at, func(key string, val json.Token, at int) (err error) {
		switch key {
		case "partition":
			c.Partition, err = d.values(strconv.Quote(key), val, at)
		case "offset":
			c.Offset, err = d.values(strconv.Quote(key), val, at)
		default:
			err = d.unknown(key, at, "partition, offset")
		}
		return err
	})
	return c, err
}

func (s *Server) resetOffsets(r *call) error {
	message, err := s.herder.ResetOffsets(r.ctx, r.name())
	if err != nil {
		return err
	}
	return r.json(http.StatusOK, map[string]string{"message": message})
}
