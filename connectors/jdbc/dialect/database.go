package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"kconnect/connect/config"
)

// Config says how to reach a database.
type Config struct {
	URL      string        // jdbc:mariadb:, jdbc:mysql:, jdbc:postgresql: or jdbc:sqlite:
	User     string        // wins over the URL's when not empty
	Password config.Secret // wins over the URL's when not empty
	// Properties are settings for the driver in the names of its URL
	// parameters: a connector's own connection.* keys without the prefix. They
	// win over the URL's.
	Properties map[string]string
	NoQuotes   bool // quote.sql.identifiers=never
}

// Database is a database that can be connected to. It may be shared between
// goroutines.
type Database struct {
	Dialect
	// Warnings name the URL parameters that are not known and have no effect.
	Warnings []string

	hosts []host // tried in order
}

// host is one server, or one file, that a URL names.
type host interface {
	Connect(ctx context.Context) (driver.Conn, error)
}

// Open reads c. It connects to nothing. No error of it holds a secret.
func Open(c Config) (*Database, error) {
	rest, ok := strings.CutPrefix(c.URL, "jdbc:")
	scheme, rest, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || scheme == "" {
		return nil, invalidURL(c.URL)
	}
	switch strings.ToLower(scheme) {
	case "mariadb", "mysql":
		return openMySQL(scheme, rest, c)
	case "postgresql":
		return openPostgres(rest, c)
	case "sqlite":
		return openSQLite(rest, c)
	}
	return nil, fmt.Errorf("connection.url is of jdbc:%s, which this release cannot reach: it has jdbc:mariadb, jdbc:mysql, jdbc:postgresql and jdbc:sqlite", scheme)
}

// invalidURL is a text that is no JDBC URL, in Java's words.
type invalidURL string

func (u invalidURL) Error() string { return "Not a valid JDBC URL: " + Redact(string(u)) }

// Connect opens a connection and runs the session statements on it. The
// errors of all hosts are joined; Classify understands them.
func (d *Database) Connect(ctx context.Context, session ...string) (*Conn, error) {
	var errs []error
	for _, host := range d.hosts {
		dc, err := host.Connect(ctx)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c := &Conn{Dialect: d.Dialect, dc: dc}
		if err := c.prepareSession(ctx, session); err != nil {
			errs = append(errs, err)
			continue
		}
		return c, nil
	}
	if len(errs) == 1 {
		return nil, errs[0]
	}
	return nil, errors.Join(errs...)
}

func (c *Conn) prepareSession(ctx context.Context, session []string) error {
	for _, s := range session {
		if _, err := c.Exec(ctx, s); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s, err), c.Close())
		}
	}
	return nil
}
