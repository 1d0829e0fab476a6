package dialect

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"kconnect/connect/config"
)

func postgresConfigs(t *testing.T, c Config) (*Database, []*pgconn.Config) {
	t.Helper()
	db, err := Open(c)
	if err != nil {
		t.Fatalf("%s: %v", c.URL, err)
	}
	var configs []*pgconn.Config
	for _, h := range db.hosts {
		configs = append(configs, h.(*pgHost).config)
	}
	return db, configs
}

func TestPostgresURLNamesHostDatabaseAndLogin(t *testing.T) {
	t.Setenv("PGHOST", "elsewhere") // the environment is for other clients
	t.Setenv("PGPASSWORD", "other")
	for _, c := range []struct {
		config         Config
		host           string
		port           int
		database       string
		user, password string
	}{
		{Config{URL: "jdbc:postgresql://db.example:5433/shop", User: "u", Password: "p"}, "db.example", 5433, "shop", "u", "p"},
		{Config{URL: "jdbc:postgresql://db/"}, "db", 5432, "", "", ""},
		{Config{URL: "jdbc:postgresql://db", User: "u"}, "db", 5432, "u", "u", ""},
		{Config{URL: "jdbc:postgresql:shop", User: "u"}, "localhost", 5432, "shop", "u", ""},
		{Config{URL: "jdbc:postgresql:/"}, "localhost", 5432, "", "", ""},
		{Config{URL: "jdbc:postgresql://[::1]:5999/d"}, "::1", 5999, "d", "", ""},
		{Config{URL: "jdbc:postgresql://[::1]/d"}, "::1", 5432, "d", "", ""},
		{Config{URL: "jdbc:postgresql://h/my%20db?user=u&password=p%26w"}, "h", 5432, "my db", "u", "p&w"},
		{Config{URL: "jdbc:postgresql://h/d?user=u&password=p", User: "root", Password: "secret"}, "h", 5432, "d", "root", "secret"},
	} {
		db, configs := postgresConfigs(t, c.config)
		got := configs[0]
		if got.Host != c.host || int(got.Port) != c.port || got.Database != c.database || got.User != c.user || got.Password != c.password {
			t.Errorf("%s: %s %d %s %s %s", c.config.URL, got.Host, got.Port, got.Database, got.User, got.Password)
		}
		if len(db.Warnings) > 0 {
			t.Errorf("%s: warnings %v", c.config.URL, db.Warnings)
		}
		if db.Name() != PostgresName {
			t.Errorf("%s is of %s", c.config.URL, db.Name())
		}
	}
}

func TestPostgresHostsAreTriedInOrder(t *testing.T) {
	for parameters, want := range map[string]string{
		"":                                "a:1 b:5432 c:3",
		"?targetServerType=primary":       "a:1! b:5432! c:3!",
		"?targetServerType=preferPrimary": "a:1! b:5432! c:3! a:1 b:5432 c:3",
		"?targetServerType=secondary":     "a:1! b:5432! c:3!",
	} {
		_, configs := postgresConfigs(t, Config{URL: "jdbc:postgresql://a:1,b,c:3/d" + parameters})
		var got []string
		for _, c := range configs {
			one := c.Host + ":" + strconv.Itoa(int(c.Port))
			if c.ValidateConnect != nil {
				one += "!"
			}
			got = append(got, one)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", parameters, got, want)
		}
	}
	_, configs := postgresConfigs(t, Config{URL: "jdbc:postgresql://a,b/d?loadBalanceHosts=true"})
	hosts := []string{configs[0].Host, configs[1].Host}
	if slices.Sort(hosts); !slices.Equal(hosts, []string{"a", "b"}) {
		t.Errorf("spread over %v", hosts)
	}
}

func TestPostgresParametersTakeEffect(t *testing.T) {
	db, configs := postgresConfigs(t, Config{
		URL: "jdbc:postgresql://h/d?ApplicationName=shop&currentSchema=a,b&options=-c%20statement_timeout=9&connectTimeout=3&socketTimeout=4&readOnly=true" +
			"&stringtype=unspecified&prepareThreshold=0&reWriteBatchedInserts=true&fancy=1",
		Properties: map[string]string{"connectTimeout": "5", "odd": "x"},
	})
	c := configs[0]
	if c.ConnectTimeout != 5*time.Second || c.DialFunc == nil {
		t.Errorf("timeout %v", c.ConnectTimeout)
	}
	for name, want := range map[string]string{
		"application_name": "shop", "search_path": "a,b", "options": "-c statement_timeout=9", "TimeZone": "UTC", "default_transaction_read_only": "on",
	} {
		if got := c.RuntimeParams[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if d := db.Dialect.(*postgreSQL); !d.untypedStrings || len(d.ReadSession("")) > 0 {
		t.Errorf("dialect %+v", d)
	}
	if len(db.Warnings) != 2 || !strings.Contains(db.Warnings[0], "fancy") || !strings.Contains(db.Warnings[1], "odd") {
		t.Errorf("warnings %v", db.Warnings)
	}
	_, configs = postgresConfigs(t, Config{URL: "jdbc:postgresql://h/d?loginTimeout=2"})
	if configs[0].ConnectTimeout != 2*time.Second {
		t.Errorf("login timeout %v", configs[0].ConnectTimeout)
	}
}

func TestPostgresTLSFollowsTheJavaDriver(t *testing.T) {
	t.Setenv("HOME", t.TempDir()) // without certificates
	for parameters, want := range map[string]string{
		"":                         "trusted, then plain",
		"?sslmode=disable":         "plain",
		"?sslmode=allow":           "plain, then trusted",
		"?sslmode=require":         "trusted",
		"?ssl=true":                "verified",
		"?ssl":                     "verified",
		"?ssl=true&sslmode=prefer": "trusted, then plain",
		"?sslmode=verify-ca":       "chain",
		"?sslmode=verify-full":     "verified",
		"?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory": "trusted",
	} {
		_, configs := postgresConfigs(t, Config{URL: "jdbc:postgresql://h/d" + parameters})
		c := configs[0]
		var got []string
		for _, f := range append([]*pgconn.FallbackConfig{{TLSConfig: c.TLSConfig}}, c.Fallbacks...) {
			switch {
			case f.TLSConfig == nil:
				got = append(got, "plain")
			case f.TLSConfig.VerifyConnection != nil:
				got = append(got, "chain")
			case f.TLSConfig.InsecureSkipVerify:
				got = append(got, "trusted")
			case f.TLSConfig.ServerName == "h":
				got = append(got, "verified")
			}
		}
		if strings.Join(got, ", then ") != want {
			t.Errorf("%q: %v, want %s", parameters, got, want)
		}
	}
}

func TestRefusedPostgresURLsSayWhyAndHideSecrets(t *testing.T) {
	for parameters, want := range map[string]string{
		"//h:x/d":         "port",
		"//h:70000/d":     "port",
		"//h/d?sslmode=a": "sslmode",
		"//h/d?ssl=2":     "ssl",
		"//h/d?sslmode=verify-ca&sslrootcert=/no/such": "sslrootcert",
		"//h/d?sslfactory=com.example.Factory":         "com.example.Factory",
		"//h/d?sslhostnameverifier=a.B":                "sslhostnameverifier",
		"//h/d?sslNegotiation=direct":                  "sslmode",
		"//h/d?sslcert=/no/such&sslkey=/no/such":       "sslcert",
		"//h/d?connectTimeout=soon":                    "connectTimeout",
		"//h/d?targetServerType=best":                  "targetServerType",
		"//h/d?stringtype=text":                        "stringtype",
		"//h/d?gssEncMode=require":                     "gssEncMode",
		"//h/d?readOnly=perhaps&password=hunter2":      "readOnly",
	} {
		_, err := Open(Config{URL: "jdbc:postgresql:" + parameters, Password: config.Secret("hunter2")})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", parameters, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in %v", parameters, err)
		}
	}
}
