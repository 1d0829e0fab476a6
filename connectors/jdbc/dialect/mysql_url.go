package dialect

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mysqlAccepted are parameters that change nothing here: what they switch on
// is how this program works anyway, or they are about the insides of a Java
// driver.
var mysqlAccepted = []string{
	"rewriteBatchedStatements", "useServerPrepStmts", "cachePrepStmts", "prepStmtCacheSize", "prepStmtCacheSqlLimit",
	"useBulkStmts", "useBatchMultiSend", "usePipelineAuth", "cacheCallableStmts", "callableStmtCacheSize",
	"useCursorFetch", "defaultFetchSize", "useUnicode", "characterEncoding", "connectionCollation",
	"serverTimezone", "connectionTimeZone", "useLegacyDatetimeCode", "useTimezone", "preserveInstants", "timezone",
	"allowPublicKeyRetrieval", "autoReconnect", "failOverReadOnly", "maxReconnects", "tcpKeepAlive", "tcpNoDelay",
	"useLocalSessionState", "useLocalTransactionState", "elideSetAutoCommits", "maintainTimeStats", "cacheServerConfiguration",
	"cacheResultSetMetadata", "useInformationSchema", "useMysqlMetadata", "allowMultiQueries", "pool", "maxPoolSize", "minPoolSize",
	"zeroDateTimeBehavior", "transformedBitIsBoolean", "useAffectedRows", "retriesAllDown", "assureReadOnly",
}

// openMySQL reads what follows jdbc:mariadb: or jdbc:mysql:.
func openMySQL(scheme, rest string, c Config) (*Database, error) {
	d := &mySQL{noQuotes: c.NoQuotes, lockWaits: slices.Clone(lockWaits)}
	configs, warnings, err := d.configs(scheme, rest, c)
	if err != nil {
		return nil, err
	}
	db := &Database{Dialect: d, Warnings: warnings}
	for _, cfg := range configs {
		connector, err := mysql.NewConnector(cfg)
		if err != nil {
			return nil, fmt.Errorf("connection.url: %w", err)
		}
		db.hosts = append(db.hosts, connector)
	}
	return db, nil
}

// configs reads the form [mode:]//host[:port][,host[:port]...]/[database][?name=value&...]
// and returns a configuration for each host.
func (d *mySQL) configs(scheme, rest string, c Config) ([]*mysql.Config, []string, error) {
	mode, rest, ok := strings.Cut(rest, "//")
	if !ok {
		return nil, nil, invalidURL(c.URL)
	}
	switch mode = strings.ToLower(strings.TrimSuffix(mode, ":")); mode {
	case "", "sequential", "failover", "replication", "loadbalance", "load-balance", "aurora":
	default:
		return nil, nil, fmt.Errorf("connection.url has the mode %q, which is not known", mode)
	}
	address, query, _ := strings.Cut(rest, "?")
	hostList, database, _ := strings.Cut(address, "/")
	p := parseParameters(query, c.Properties)

	cfg := mysql.NewConfig()
	cfg.DBName, d.database = database, database
	cfg.Logger = &mysql.NopLogger{} // what it would print also comes as an error
	cfg.ColumnsWithAlias = true     // tells columns of one name apart (D17)
	cfg.ClientFoundRows = true      // as JDBC counts
	cfg.Params = map[string]string{}
	if err := errors.Join(
		cfg.Apply(mysql.Charset("utf8mb4", "")),
		mysqlLogin(cfg, p, c),
		mysqlTimeouts(cfg, p),
		mysqlSession(cfg, d, p),
	); err != nil {
		return nil, nil, err
	}
	hosts, err := mysqlHosts(cfg, hostList, p)
	if err != nil {
		return nil, nil, err
	}
	var configs []*mysql.Config
	for _, host := range hosts {
		hc := cfg.Clone()
		hc.Net, hc.Addr = host.network, host.address
		if err := mysqlTLS(hc, scheme, p); err != nil {
			return nil, nil, err
		}
		configs = append(configs, hc)
	}
	warnings := p.unknown(mysqlAccepted...)
	if v, set := p.text("zeroDateTimeBehavior"); set && !strings.EqualFold(strings.ReplaceAll(v, "_", ""), "convertToNull") {
		warnings = append(warnings, "parameter zeroDateTimeBehavior of connection.url has no effect: zero dates are read as null")
	}
	return configs, warnings, nil
}

func mysqlLogin(cfg *mysql.Config, p *parameters, c Config) error {
	cfg.User, _ = p.text("user")
	cfg.Passwd, _ = p.text("password")
	if c.User != "" {
		cfg.User = c.User
	}
	if c.Password != "" {
		cfg.Passwd = c.Password.Reveal()
	}
	compress, err := p.flag(false, "useCompression")
	if err != nil {
		return err
	}
	return cfg.Apply(mysql.EnableCompression(compress))
}

// mysqlTimeouts reads connectTimeout (ms, 30 s when absent) and socketTimeout
// (ms, none when absent or 0).
func mysqlTimeouts(cfg *mysql.Config, p *parameters) error {
	connect, err := milliseconds(p, "connectTimeout", 30*time.Second)
	if err != nil {
		return err
	}
	socket, err := milliseconds(p, "socketTimeout", 0)
	if err != nil {
		return err
	}
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = connect, socket, socket
	return nil
}

func milliseconds(p *parameters, name string, fallback time.Duration) (time.Duration, error) {
	v, set := p.text(name)
	if !set {
		return fallback, nil
	}
	ms, err := strconv.ParseInt(v, 10, 32)
	if err != nil || ms < 0 {
		return 0, fmt.Errorf("parameter %s of connection.url must be a number of milliseconds, not %q", name, v)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

func mysqlSession(cfg *mysql.Config, d *mySQL, p *parameters) error {
	strict, err := p.flag(true, "jdbcCompliantTruncation")
	if err != nil {
		return err
	}
	if strict {
		// Without it the server cuts what does not fit and says nothing (Promise 3).
		cfg.Params["sql_mode"] = "concat(@@sql_mode,',STRICT_TRANS_TABLES')"
	}
	if vars, ok := p.text("sessionVariables"); ok {
		for v := range strings.FieldsFuncSeq(vars, func(r rune) bool { return r == ',' || r == ';' }) {
			name, value, ok := strings.Cut(strings.TrimSpace(v), "=")
			if !ok {
				return fmt.Errorf("parameter sessionVariables of connection.url must be a list of name=value")
			}
			cfg.Params[name] = value
			d.lockWaits = slices.DeleteFunc(d.lockWaits, func(w string) bool { return strings.EqualFold(w, name) })
		}
	}
	if v, ok := p.text("maxAllowedPacket"); ok {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return fmt.Errorf("parameter maxAllowedPacket of connection.url must be a number of bytes, not %q", v)
		}
		cfg.MaxAllowedPacket = n
	} else {
		cfg.MaxAllowedPacket = 0 // asked from the server
	}
	var errs [3]error
	d.tinyAsBit, errs[0] = p.flag(true, "tinyInt1isBit")
	d.yearAsDate, errs[1] = p.flag(true, "yearIsDateType")
	d.nullIsCurrent, errs[2] = p.flag(true, "nullCatalogMeansCurrent", "nullDatabaseMeansCurrent")
	return errors.Join(errs[:]...)
}

type mysqlHost struct{ network, address string }

// hostKey finds (key=value) in MariaDB's long form address=(host=h)(port=1).
var hostKey = regexp.MustCompile(`\((\w+)=([^)]*)\)`)

func mysqlHosts(cfg *mysql.Config, list string, p *parameters) ([]mysqlHost, error) {
	if path, ok := p.text("localSocket"); ok {
		return []mysqlHost{{"unix", path}}, nil
	}
	if at := strings.LastIndexByte(list, '@'); at >= 0 { // Connector/J's user:password@host
		login := list[:at]
		list = list[at+1:]
		user, password, _ := strings.Cut(login, ":")
		if cfg.User == "" {
			cfg.User = user
		}
		if cfg.Passwd == "" {
			cfg.Passwd = password
		}
	}
	var hosts []mysqlHost
	for one := range strings.SplitSeq(list, ",") {
		host, port := strings.TrimSpace(one), "3306"
		if strings.HasPrefix(strings.ToLower(host), "address=") || strings.HasPrefix(host, "(") {
			for _, kv := range hostKey.FindAllStringSubmatch(host, -1) {
				switch strings.ToLower(kv[1]) {
				case "host":
					host = kv[2]
				case "port":
					port = kv[2]
				}
			}
		} else if h, prt, err := net.SplitHostPort(host); err == nil {
			host, port = h, prt
		} else {
			host = strings.Trim(host, "[]")
		}
		if host == "" {
			host = "localhost"
		}
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("connection.url names the port %q of host %s: a number from 1 to 65535 is needed", port, host)
		}
		hosts = append(hosts, mysqlHost{"tcp", net.JoinHostPort(host, port)})
	}
	return hosts, nil
}

// mysqlTLS reads the TLS settings of both Java drivers. Without any the MariaDB
// form is plain text and the MySQL form uses TLS where the server has it, each
// as its driver does.
func mysqlTLS(cfg *mysql.Config, scheme string, p *parameters) error {
	useSSL, err := p.flag(false, "useSSL")
	if err != nil {
		return err
	}
	require, err1 := p.flag(false, "requireSSL")
	trust, err2 := p.flag(false, "trustServerCertificate")
	noName, err3 := p.flag(false, "disableSslHostnameVerification")
	mariadb := strings.EqualFold(scheme, "mariadb")
	verify, err4 := p.flag(mariadb && !trust, "verifyServerCertificate")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	_, sslSet := p.text("useSSL")
	mode, modeSet := p.text("sslMode")
	if !modeSet {
		switch {
		case sslSet && !useSSL:
			mode = "disable"
		case useSSL && verify && mariadb && !noName:
			mode = "verify-full"
		case useSSL && verify:
			mode = "verify-ca"
		case useSSL && (require || mariadb):
			mode = "required"
		case mariadb:
			mode = "disable"
		default:
			mode = "preferred"
		}
	}
	for _, jks := range []string{"trustStore", "keyStore", "trustCertificateKeyStoreUrl", "clientCertificateKeyStoreUrl"} {
		if _, set := p.text(jks); set {
			return fmt.Errorf("parameter %s of connection.url names a Java key store, which cannot be read: give the certificates as PEM in serverSslCert", jks)
		}
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err == nil {
		t.ServerName = host
	}
	if cert, ok := p.text("serverSslCert"); ok {
		if t.RootCAs, err = certificates("serverSslCert", cert); err != nil {
			return err
		}
	}
	switch strings.ToLower(strings.ReplaceAll(mode, "_", "-")) {
	case "disable", "disabled":
		return nil
	case "preferred":
		cfg.AllowFallbackToPlaintext = true
		t.InsecureSkipVerify = true //nolint:gosec // what the setting asks for
	case "required", "trust":
		t.InsecureSkipVerify = true //nolint:gosec // what the setting asks for
	case "verify-ca":
		t.InsecureSkipVerify = true //nolint:gosec // the chain is verified below, the name is not
		t.VerifyConnection = verifyChain(t.RootCAs)
	case "verify-full", "verify-identity":
	default:
		return fmt.Errorf("parameter sslMode of connection.url must be one of disable, preferred, required, trust, verify-ca, verify-full, not %q", mode)
	}
	cfg.TLS = t
	return nil
}

// certificates reads the PEM text, or the file of it, that a parameter has.
func certificates(parameter, text string) (*x509.CertPool, error) {
	pem := []byte(text)
	if !strings.Contains(text, "-----BEGIN") {
		var err error
		if pem, err = os.ReadFile(strings.TrimPrefix(text, "file:")); err != nil {
			return nil, fmt.Errorf("parameter %s of connection.url: %w", parameter, err)
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("parameter %s of connection.url holds no PEM certificate", parameter)
	}
	return pool, nil
}

func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, c := range s.PeerCertificates[1:] {
			opts.Intermediates.AddCert(c)
		}
		_, err := s.PeerCertificates[0].Verify(opts)
		return err
	}
}
