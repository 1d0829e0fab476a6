package dialect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresAccepted are parameters that change nothing here: what they switch on
// is how this program works anyway, or they are about the insides of the Java
// driver.
var postgresAccepted = []string{
	"prepareThreshold", "preparedStatementCacheQueries", "preparedStatementCacheSizeMiB", "defaultRowFetchSize", "adaptiveFetch",
	"adaptiveFetchMinimum", "adaptiveFetchMaximum", "maxResultBuffer", "binaryTransfer", "binaryTransferEnable", "binaryTransferDisable",
	"reWriteBatchedInserts", "preferQueryMode", "tcpKeepAlive", "tcpNoDelay", "receiveBufferSize", "sendBufferSize", "maxSendBufferSize",
	"loggerLevel", "loggerFile", "logUnclosedConnections", "logServerErrorDetail", "disableColumnSanitiser", "assumeMinServerVersion",
	"autosave", "cleanupSavepoints", "allowEncodingChanges", "unknownLength", "hostRecheckSeconds", "databaseMetadataCacheFields",
	"databaseMetadataCacheFieldsMiB", "escapeSyntaxCallMode", "cancelSignalTimeout", "readOnlyMode", "groupStartupParameters",
	"quoteReturningIdentifiers", "queryTimeout", "protocolVersion", "compatible", "charSet", "xmlFactoryFactory",
}

// openPostgres reads what follows jdbc:postgresql:, [//host[:port][,...]/][database][?name=value&...].
func openPostgres(rest string, c Config) (*Database, error) {
	address, query, _ := strings.Cut(rest, "?")
	hostList, database := "", strings.TrimPrefix(address, "/")
	if after, ok := strings.CutPrefix(address, "//"); ok {
		hostList, database, _ = strings.Cut(after, "/")
	}
	database, err := url.PathUnescape(database)
	if err != nil {
		return nil, invalidURL(c.URL)
	}
	p := parseParameters(query, c.Properties)
	d := &postgreSQL{noQuotes: c.NoQuotes}
	if v, set := p.text("stringtype"); set {
		switch strings.ToLower(v) {
		case "unspecified", "varchar":
			d.untypedStrings = strings.EqualFold(v, "unspecified")
		default:
			return nil, fmt.Errorf("parameter stringtype of connection.url must be varchar or unspecified, not %q", v)
		}
	}
	base, err := postgresBase(p, c, database)
	if err != nil {
		return nil, err
	}
	d.ownTimeout = strings.Contains(base.RuntimeParams["options"], "statement_timeout")
	d.ownLockTimeout = strings.Contains(base.RuntimeParams["options"], "lock_timeout")
	db := &Database{Dialect: d}
	if db.hosts, err = postgresHosts(base, hostList, p); err != nil {
		return nil, err
	}
	db.Warnings = p.unknown(postgresAccepted...)
	return db, nil
}

// postgresBase returns the settings that all hosts share.
func postgresBase(p *parameters, c Config, database string) (*pgconn.Config, error) {
	// All that the library would take from the environment and from files is
	// said here, as Java's driver knows only its URL.
	base, err := pgconn.ParseConfig("host=localhost port=5432 user=postgres dbname=postgres sslmode=disable passfile= application_name=kconnect connect_timeout=10 target_session_attrs=any")
	if err != nil {
		return nil, fmt.Errorf("settings of PostgreSQL clients in the environment of this process: %w", err)
	}
	base.User, _ = p.text("user")
	base.Password, _ = p.text("password")
	if c.User != "" {
		base.User = c.User
	}
	if c.Password != "" {
		base.Password = c.Password.Reveal()
	}
	if base.Database = database; database == "" {
		if base.Database, _ = p.text("PGDBNAME"); base.Database == "" {
			base.Database = base.User
		}
	}
	// Values come in the forms that are read here, whatever the server's own settings.
	base.RuntimeParams = map[string]string{
		"client_encoding": "UTF8", "DateStyle": "ISO", "TimeZone": "UTC", "extra_float_digits": "3", "application_name": "kconnect",
	}
	for parameter, setting := range map[string]string{"ApplicationName": "application_name", "currentSchema": "search_path", "options": "options"} {
		if v, set := p.text(parameter); set && v != "" {
			base.RuntimeParams[setting] = v
		}
	}
	readOnly, err := p.flag(false, "readOnly")
	if err != nil {
		return nil, err
	}
	if readOnly {
		base.RuntimeParams["default_transaction_read_only"] = "on"
	}
	if v, set := p.text("gssEncMode"); set && strings.EqualFold(v, "require") {
		return nil, errors.New("parameter gssEncMode=require of connection.url cannot be met: Kerberos is not supported")
	}
	return base, postgresTimeouts(base, p)
}

// postgresTimeouts reads connectTimeout (s, 10 when absent), loginTimeout (s) and
// socketTimeout (s); 0 is none.
func postgresTimeouts(base *pgconn.Config, p *parameters) error {
	var connect, login, socket time.Duration
	for _, t := range []struct {
		name     string
		fallback time.Duration
		to       *time.Duration
	}{{"connectTimeout", 10 * time.Second, &connect}, {"loginTimeout", 0, &login}, {"socketTimeout", 0, &socket}} {
		*t.to = t.fallback
		if v, set := p.text(t.name); set {
			s, err := strconv.ParseInt(v, 10, 32)
			if err != nil || s < 0 {
				return fmt.Errorf("parameter %s of connection.url must be a number of seconds, not %q", t.name, v)
			}
			*t.to = time.Duration(s) * time.Second
		}
	}
	base.ConnectTimeout = connect
	if login > 0 && (connect == 0 || login < connect) {
		base.ConnectTimeout = login
	}
	if socket > 0 {
		dialer := &net.Dialer{}
		base.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &timedConn{Conn: c, patience: socket}, nil
		}
	}
	return nil
}

// timedConn gives up a read that takes longer than socketTimeout, unless the
// reader has set a deadline of its own.
type timedConn struct {
	net.Conn
	patience time.Duration
	own      atomic.Bool
}

func (c *timedConn) Read(b []byte) (int, error) {
	if !c.own.Load() {
		if err := c.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(b)
}

func (c *timedConn) SetDeadline(t time.Time) error {
	c.own.Store(!t.IsZero())
	return c.Conn.SetDeadline(t)
}

// postgresHosts returns the hosts in the order in which they are tried.
func postgresHosts(base *pgconn.Config, list string, p *parameters) ([]host, error) {
	var validate pgconn.ValidateConnectFunc
	twice := false
	switch v, _ := p.text("targetServerType"); strings.ToLower(v) {
	case "", "any":
	case "primary", "master":
		validate = wanted(pgconn.ValidateConnectTargetSessionAttrsPrimary)
	case "secondary", "slave":
		validate = wanted(pgconn.ValidateConnectTargetSessionAttrsStandby)
	case "preferprimary":
		validate, twice = wanted(pgconn.ValidateConnectTargetSessionAttrsPrimary), true
	case "prefersecondary", "preferslave":
		validate, twice = wanted(pgconn.ValidateConnectTargetSessionAttrsStandby), true
	default:
		return nil, fmt.Errorf("parameter targetServerType of connection.url must be any, primary, secondary, preferPrimary or preferSecondary, not %q", v)
	}
	if list == "" {
		list, _ = p.text("PGHOST")
	}
	defaultPort := "5432"
	if v, set := p.text("PGPORT"); set {
		defaultPort = v
	}
	security, err := readPostgresTLS(p)
	if err != nil {
		return nil, err
	}
	var configs []*pgconn.Config
	for one := range strings.SplitSeq(list, ",") {
		config := base.Copy()
		config.ValidateConnect = validate
		if config.Host, config.Port, err = postgresAddress(strings.TrimSpace(one), defaultPort); err != nil {
			return nil, err
		}
		if err := security.apply(config); err != nil {
			return nil, err
		}
		configs = append(configs, config)
	}
	spread, err := p.flag(false, "loadBalanceHosts")
	if err != nil {
		return nil, err
	}
	if spread {
		rand.Shuffle(len(configs), func(i, j int) { configs[i], configs[j] = configs[j], configs[i] })
	}
	var hosts []host
	for _, config := range configs {
		hosts = append(hosts, &pgHost{config})
	}
	if !twice {
		return hosts, nil
	}
	for _, config := range configs { // what is preferred is not there: any will do
		config = config.Copy()
		config.ValidateConnect = nil
		hosts = append(hosts, &pgHost{config})
	}
	return hosts, nil
}

// wanted makes the refusals of a validation recognizable.
func wanted(validate pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, pc *pgconn.PgConn) error {
		if err := validate(ctx, pc); err != nil {
			return fmt.Errorf("%w: %w", errOtherServer, err)
		}
		return nil
	}
}

func postgresAddress(one, defaultPort string) (string, uint16, error) {
	name, port := one, defaultPort
	if h, prt, err := net.SplitHostPort(one); err == nil {
		name, port = h, prt
	}
	if name = strings.Trim(name, "[]"); name == "" {
		name = "localhost"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("connection.url names the port %q of host %s: a number from 1 to 65535 is needed", port, name)
	}
	return name, uint16(n), nil
}

// postgresTLS is how connections are protected.
type postgresTLS struct {
	mode        string
	roots       *x509.CertPool
	certificate *tls.Certificate
	direct      bool
}

// readPostgresTLS reads the TLS settings of Java's driver, which verifies less
// than the server's own clients do: require encrypts and asks no more. Files of
// ~/.postgresql are used where they are there.
func readPostgresTLS(p *parameters) (*postgresTLS, error) {
	on, err := p.flag(false, "ssl")
	if err != nil {
		return nil, err
	}
	t := &postgresTLS{mode: "prefer"}
	if on {
		t.mode = "verify-full"
	}
	if v, set := p.text("sslmode"); set {
		t.mode = strings.ToLower(v)
	}
	switch factory, _ := p.text("sslfactory"); factory {
	case "", "org.postgresql.ssl.LibPQFactory", "org.postgresql.ssl.DefaultJavaSSLFactory", "org.postgresql.ssl.jdbc4.LibPQFactory":
	case "org.postgresql.ssl.NonValidatingFactory":
		if t.mode == "verify-ca" || t.mode == "verify-full" {
			t.mode = "require"
		}
	default:
		return nil, fmt.Errorf("parameter sslfactory of connection.url names the Java class %s, which cannot be run: give certificates in sslrootcert, sslcert and sslkey", factory)
	}
	for _, name := range []string{"sslhostnameverifier", "sslpasswordcallback", "sslfactoryarg"} {
		if v, _ := p.text(name); v != "" {
			return nil, fmt.Errorf("parameter %s of connection.url is for Java classes, which cannot be run: leave it out", name)
		}
	}
	switch v, _ := p.text("sslNegotiation"); strings.ToLower(v) {
	case "", "postgres":
	case "direct":
		t.direct = true
	default:
		return nil, fmt.Errorf("parameter sslNegotiation of connection.url must be postgres or direct, not %q", v)
	}
	root, rootSet := p.text("sslrootcert")
	cert, certSet := p.text("sslcert")
	key, keySet := p.text("sslkey")
	_, passwordSet := p.text("sslpassword")
	switch t.mode {
	case "disable":
		return t, nil
	case "allow", "prefer", "require", "verify-ca", "verify-full":
	default:
		return nil, fmt.Errorf("parameter sslmode of connection.url must be one of disable, allow, prefer, require, verify-ca, verify-full, not %q", t.mode)
	}
	if home, err := os.UserHomeDir(); err == nil {
		own := filepath.Join(home, ".postgresql")
		if !rootSet {
			root = existing(filepath.Join(own, "root.crt"))
		}
		if !certSet && !keySet {
			cert, key = existing(filepath.Join(own, "postgresql.crt")), existing(filepath.Join(own, "postgresql.pk8"))
		}
	}
	if root != "" && strings.HasPrefix(t.mode, "verify-") {
		if t.roots, err = certificates("sslrootcert", root); err != nil {
			return nil, err
		}
	}
	if cert != "" && key != "" {
		if passwordSet {
			return nil, errors.New("parameter sslpassword of connection.url is for an encrypted sslkey, which cannot be read: give a key without a password, in a file that only the worker may read")
		}
		if t.certificate, err = clientCertificate(cert, key); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func existing(path string) string {
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// clientCertificate reads a certificate in PEM, and a key in PEM or, as Java's
// driver wants it, in PKCS #8 DER.
func clientCertificate(certFile, keyFile string) (*tls.Certificate, error) {
	chain, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("parameter sslcert of connection.url: %w", err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("parameter sslkey of connection.url: %w", err)
	}
	if strings.HasSuffix(keyFile, ".p12") || strings.HasSuffix(keyFile, ".pfx") {
		return nil, errors.New("parameter sslkey of connection.url names a PKCS #12 store, which cannot be read: give the key in PEM or PKCS #8 DER")
	}
	if block, _ := pem.Decode(key); block == nil {
		key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	}
	c, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("parameters sslcert and sslkey of connection.url: %w", err)
	}
	return &c, nil
}

// apply sets the protection of one host: what is tried first and, for the modes
// that take either, second.
func (t *postgresTLS) apply(config *pgconn.Config) error {
	if t.mode == "disable" {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: config.Host, RootCAs: t.roots}
	if t.certificate != nil {
		c.Certificates = []tls.Certificate{*t.certificate}
	}
	switch t.mode {
	case "verify-full":
	case "verify-ca":
		c.InsecureSkipVerify = true //nolint:gosec // the chain is verified below, the name is not
		c.VerifyConnection = verifyChain(t.roots)
	default:
		c.InsecureSkipVerify = true //nolint:gosec // what the setting asks for
	}
	if t.direct {
		if t.mode == "allow" || t.mode == "prefer" {
			return fmt.Errorf("parameter sslNegotiation=direct of connection.url needs sslmode require, verify-ca or verify-full, not %s", t.mode)
		}
		c.NextProtos = []string{"postgresql"}
		config.SSLNegotiation = "direct"
	}
	config.TLSConfig = c
	second := &pgconn.FallbackConfig{Host: config.Host, Port: config.Port}
	switch t.mode {
	case "prefer":
		config.Fallbacks = []*pgconn.FallbackConfig{second}
	case "allow":
		config.TLSConfig = nil
		second.TLSConfig = c
		config.Fallbacks = []*pgconn.FallbackConfig{second}
	}
	return nil
}
