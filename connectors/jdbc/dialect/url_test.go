package dialect

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"kconnect/connect/config"
)

func mysqlConfigs(t *testing.T, c Config) (*mySQL, []*mysql.Config, []string) {
	t.Helper()
	_, rest, _ := strings.Cut(c.URL, ":")
	scheme, rest, _ := strings.Cut(rest, ":")
	d := &mySQL{}
	configs, warnings, err := d.configs(scheme, rest, c)
	if err != nil {
		t.Fatalf("%s: %v", c.URL, err)
	}
	return d, configs, warnings
}

func TestMySQLURLNamesHostDatabaseAndLogin(t *testing.T) {
	for _, c := range []struct {
		config         Config
		network, addr  string
		database       string
		user, password string
	}{
		{Config{URL: "jdbc:mariadb://localhost:3307/mydb"}, "tcp", "localhost:3307", "mydb", "", ""},
		{Config{URL: "jdbc:mysql://db.example/"}, "tcp", "db.example:3306", "", "", ""},
		{Config{URL: "jdbc:mariadb://db"}, "tcp", "db:3306", "", "", ""},
		{Config{URL: "jdbc:mariadb://[::1]:3310/d"}, "tcp", "[::1]:3310", "d", "", ""},
		{Config{URL: "jdbc:mariadb://address=(host=h)(port=4000)(type=master)/d"}, "tcp", "h:4000", "d", "", ""},
		{Config{URL: "jdbc:mariadb:sequential://a/d"}, "tcp", "a:3306", "d", "", ""},
		{Config{URL: "jdbc:mariadb:///d?localSocket=/run/m.sock"}, "unix", "/run/m.sock", "d", "", ""},
		{Config{URL: "jdbc:mariadb://h/d?user=u&password=p%26w"}, "tcp", "h:3306", "d", "u", "p&w"},
		{Config{URL: "jdbc:mysql://u:p@h/d"}, "tcp", "h:3306", "d", "u", "p"},
		{Config{URL: "jdbc:mariadb://h/d?user=u&password=p", User: "root", Password: "secret"}, "tcp", "h:3306", "d", "root", "secret"},
	} {
		_, configs, warnings := mysqlConfigs(t, c.config)
		got := configs[0]
		if got.Net != c.network || got.Addr != c.addr || got.DBName != c.database || got.User != c.user || got.Passwd != c.password {
			t.Errorf("%s: %s %s %s %s %s", c.config.URL, got.Net, got.Addr, got.DBName, got.User, got.Passwd)
		}
		if len(warnings) > 0 {
			t.Errorf("%s: warnings %v", c.config.URL, warnings)
		}
	}
}

func TestMySQLURLWithSeveralHostsKeepsTheirOrder(t *testing.T) {
	_, configs, _ := mysqlConfigs(t, Config{URL: "jdbc:mariadb:replication://a:1,b,c:3/d?useSSL=true"})
	var addrs []string
	for _, c := range configs {
		addrs = append(addrs, c.Addr+" "+c.TLS.ServerName)
	}
	if want := []string{"a:1 a", "b:3306 b", "c:3 c"}; !slices.Equal(addrs, want) {
		t.Errorf("got %v, want %v", addrs, want)
	}
}

func TestMySQLParametersTakeEffect(t *testing.T) {
	d, configs, warnings := mysqlConfigs(t, Config{
		URL: "jdbc:mariadb://h/d?connectTimeout=1500&socketTimeout=2500&rewriteBatchedStatements=true&useServerPrepStmts&serverTimezone=UTC" +
			"&sessionVariables=wait_timeout=60,sql_log_bin=0&tinyInt1isBit=false&yearIsDateType=false&nullCatalogMeansCurrent=false&allowPublicKeyRetrieval=true&fancy=1",
		Properties: map[string]string{"socketTimeout": "3500", "odd": "x"},
	})
	c := configs[0]
	if c.Timeout != 1500*time.Millisecond || c.ReadTimeout != 3500*time.Millisecond || c.WriteTimeout != 3500*time.Millisecond {
		t.Errorf("timeouts %v %v %v", c.Timeout, c.ReadTimeout, c.WriteTimeout)
	}
	if c.Params["wait_timeout"] != "60" || c.Params["sql_log_bin"] != "0" || !strings.Contains(c.Params["sql_mode"], "STRICT_TRANS_TABLES") {
		t.Errorf("session %v", c.Params)
	}
	if d.tinyAsBit || d.yearAsDate || d.nullIsCurrent {
		t.Errorf("dialect %+v", d)
	}
	if len(warnings) != 2 || !strings.Contains(warnings[0], "fancy") || !strings.Contains(warnings[1], "odd") {
		t.Errorf("warnings %v", warnings)
	}
}

func TestMySQLTLSFollowsTheJavaDrivers(t *testing.T) {
	for url, want := range map[string]string{
		"jdbc:mariadb://h/d":                                                   "plain",
		"jdbc:mysql://h/d":                                                     "preferred",
		"jdbc:mysql://h/d?useSSL=false":                                        "plain",
		"jdbc:mariadb://h/d?useSSL=true":                                       "verified",
		"jdbc:mariadb://h/d?useSSL=true&trustServerCertificate=true":           "trusted",
		"jdbc:mysql://h/d?useSSL=true":                                         "preferred",
		"jdbc:mysql://h/d?useSSL=true&requireSSL=true":                         "trusted",
		"jdbc:mysql://h/d?useSSL=true&verifyServerCertificate=true":            "chain",
		"jdbc:mysql://h/d?sslMode=VERIFY_IDENTITY":                             "verified",
		"jdbc:mariadb://h/d?sslMode=verify-ca":                                 "chain",
		"jdbc:mariadb://h/d?sslMode=disable&useSSL=true":                       "plain",
		"jdbc:mariadb://h/d?useSSL=true&disableSslHostnameVerification=true":   "chain",
		"jdbc:mysql://h/d?sslMode=REQUIRED&rewriteBatchedStatements=true&x=yz": "trusted",
	} {
		_, configs, _ := mysqlConfigs(t, Config{URL: url})
		c := configs[0]
		got := "plain"
		switch {
		case c.TLS == nil:
		case c.AllowFallbackToPlaintext:
			got = "preferred"
		case c.TLS.VerifyConnection != nil:
			got = "chain"
		case c.TLS.InsecureSkipVerify:
			got = "trusted"
		default:
			got = "verified"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

func TestRefusedURLsSayWhyAndHideSecrets(t *testing.T) {
	for url, want := range map[string]string{
		"":                                               "Not a valid JDBC URL: ",
		"http://h/db":                                    "Not a valid JDBC URL: http://h/db",
		"jdbc:mariadb:h/db":                              "Not a valid JDBC URL: jdbc:mariadb:h/db",
		"jdbc:db2://h/d":                                 "jdbc:mariadb, jdbc:mysql, jdbc:postgresql and jdbc:sqlite",
		"jdbc:oracle:thin:@h":                            "jdbc:oracle",
		"jdbc:mariadb:odd://h/d":                         `"odd"`,
		"jdbc:mariadb://h:x/d":                           "port",
		"jdbc:mysql://h/d?sslMode=a":                     "sslMode",
		"jdbc:mysql://h/d?useSSL=2":                      "useSSL",
		"jdbc:mysql://h/d?connectTimeout=soon":           "connectTimeout",
		"jdbc:mysql://h/d?trustStore=a.jks":              "PEM",
		"jdbc:mysql://h/d?serverSslCert=/no/such/file":   "serverSslCert",
		"jdbc:sqlite::resource:a.db":                     "class path",
		"jdbc:sqlite:a.db?busy_timeout=long":             "busy_timeout",
		"jdbc:sqlite:a.db?journal_mode=wal);drop":        "journal_mode",
		"jdbc:mysql:h/db?user=u&password=hunter2":        "[hidden]",
		"jdbc:mysql:x://root:hunter2@h/d?useSSL=perhaps": "x",
	} {
		_, err := Open(Config{URL: url, Password: config.Secret("hunter2")})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in %v", url, err)
		}
	}
}

func TestRedactHidesPasswordsInURLs(t *testing.T) {
	for url, want := range map[string]string{
		"jdbc:mysql://h/d?user=u&password=p&a=b":   "jdbc:mysql://h/d?user=u&password=[hidden]&a=b",
		"jdbc:mysql://u:p@h/d":                     "jdbc:mysql://u:[hidden]@h/d",
		"jdbc:mysql://h/d?trustStorePassword=p;x":  "jdbc:mysql://h/d?trustStorePassword=[hidden];x",
		"jdbc:mariadb://h:3306/d?connectTimeout=1": "jdbc:mariadb://h:3306/d?connectTimeout=1",
	} {
		if got := Redact(url); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
