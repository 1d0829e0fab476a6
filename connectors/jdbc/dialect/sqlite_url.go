package dialect

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"modernc.org/sqlite"
)

// sqlitePragmas are the URL parameters that are pragmas of the same name.
var sqlitePragmas = []string{
	"busy_timeout", "cache_size", "foreign_keys", "journal_mode", "locking_mode", "mmap_size",
	"synchronous", "temp_store", "read_uncommitted", "recursive_triggers", "encoding",
}

// sqliteAccepted are parameters of the Java driver about its own insides.
var sqliteAccepted = []string{"jdbc.explicit_readonly", "date_class", "date_precision", "date_string_format", "shared_cache"}

// openSQLite reads what follows jdbc:sqlite:, a file name or nothing for a
// database in memory, with pragmas as parameters.
func openSQLite(rest string, c Config) (*Database, error) {
	path, query, _ := strings.Cut(rest, "?")
	switch {
	case path == "":
		path = ":memory:"
	case strings.HasPrefix(path, ":resource:"):
		return nil, fmt.Errorf("connection.url names a resource of a Java class path, which is not to be had: give a file")
	}
	path = strings.TrimPrefix(path, "file:")
	p := parseParameters(query, c.Properties)
	dsn := url.Values{}
	if ms, set := p.text("busy_timeout"); set {
		if _, err := strconv.Atoi(ms); err != nil {
			return nil, fmt.Errorf("parameter busy_timeout of connection.url must be a number of milliseconds, not %q", ms)
		}
	} else {
		dsn.Add("_pragma", "busy_timeout(3000)") // the Java driver's default, in ms
	}
	for _, pragma := range sqlitePragmas {
		if v, set := p.text(pragma); set {
			if strings.ContainsAny(v, "();") {
				return nil, fmt.Errorf("parameter %s of connection.url has the value %q, which is no pragma's", pragma, v)
			}
			dsn.Add("_pragma", pragma+"("+v+")")
		}
	}
	connector, err := sqlite.NewConnector(path + "?" + dsn.Encode())
	if err != nil {
		return nil, fmt.Errorf("connection.url: %w", err)
	}
	return &Database{
		Dialect:  &sqLite{noQuotes: c.NoQuotes},
		Warnings: p.unknown(append(sqliteAccepted, "user", "password")...),
		hosts:    []host{&sqliteFile{connector, path}},
	}, nil
}

// sqliteFile says which file cannot be opened; the driver's error does not.
type sqliteFile struct {
	driver.Connector
	path string
}

// Connect opens the file.
func (f *sqliteFile) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", f.path, err)
	}
	return c, nil
}
