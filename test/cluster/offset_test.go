package cluster

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"kconnect/test/harness"
)

// recorded is a record of an internal topic as a Java worker wrote it.
type recorded struct {
	Partition int32
	Key       []byte
	Value     []byte // nil: a deletion
}

func readRecorded(t *testing.T, name string) []recorded {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", "golden", "internal", "java-4.2.0", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Partition int32
			Key       string  `json:"key_b64"`
			Value     *string `json:"value_b64"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		r := recorded{Partition: line.Partition}
		if r.Key, err = base64.StdEncoding.DecodeString(line.Key); err != nil {
			t.Fatal(err)
		}
		if line.Value != nil {
			if r.Value, err = base64.StdEncoding.DecodeString(*line.Value); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A cluster is taken over from nothing but its topics: the first records of the recorded config topic, which are a JDBC source and its task,
// and all of the recorded offsets topic, to the byte.
func TestAJDBCSourceGoesOnFromTheTopicsOfAJavaWorker(t *testing.T) {
	k := harness.Broker(t)
	db := harness.MariaDB(t).Database(t, "rb_db") // the offsets name it, and no other test does
	db.Exec(t, "CREATE TABLE items (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20)); INSERT INTO items(name) VALUES ('1'),('2'),('3'),('4'),('5'),('6')")
	properties := maps.Clone(quick)
	cluster := harness.Name("java")
	maps.Copy(properties, harness.Properties{
		"group.id": cluster, "config.storage.topic": cluster + "-configs", "status.storage.topic": cluster + "-status",
		"offset.storage.topic": cluster + "-offsets", "offset.storage.partitions": "25",
	})
	k.Forget(t, "rb-jdbc-items", cluster+"-configs", cluster+"-offsets", cluster+"-status")
	admin := k.Admin(t)
	compact := "compact"
	for topic, partitions := range map[string]int32{"configs": 1, "offsets": 25} {
		policy := map[string]*string{"cleanup.policy": &compact}
		if _, err := admin.CreateTopic(t.Context(), partitions, 1, policy, cluster+"-"+topic); err != nil {
			t.Fatal(err)
		}
	}
	client := k.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	var records []*kgo.Record
	for _, r := range readRecorded(t, "offsets.jsonl") {
		records = append(records, &kgo.Record{Topic: cluster + "-offsets", Partition: r.Partition, Key: r.Key, Value: r.Value})
	}
	for _, r := range readRecorded(t, "configs.jsonl")[:4] {
		// The server of the recording was on another port, and had another user.
		here := strings.NewReplacer("127.0.0.1:3306", db.Address, `"connection.user":"kc"`, `"connection.user":"`+db.User+`"`)
		records = append(records, &kgo.Record{Topic: cluster + "-configs", Key: r.Key, Value: []byte(here.Replace(string(r.Value)))})
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}

	w := harness.Worker(t, properties)
	w.WaitStatus(t, "rb-jdbc-src", "RUNNING", 1)
	db.Exec(t, "INSERT INTO items(name) VALUES ('7')")
	for i, r := range k.Consume(t, "rb-jdbc-items", 2) {
		if want := []string{"6", "7"}[i]; !strings.Contains(string(r.Value), `"name":"`+want+`"`) {
			t.Errorf("record %d is %s, want the row %s behind the stored offset", i, r.Value, want)
		}
	}
	harness.Eventually(t, "the offset has moved", func() (bool, string) {
		_, _, body := w.Do(t, "GET", "/connectors/rb-jdbc-src/offsets", "")
		return body == `{"offsets":[{"partition":{"protocol":"1","table":"rb_db.items"},"offset":{"incrementing":7}}]}`, body
	})
	if n := len(k.ReadAll(t, "rb-jdbc-items")); n != 2 {
		t.Errorf("%d records, want 2", n)
	}
}

// javaOffset is an offset that a Java worker stored at the end of a recording, after the rows that were there.
func javaOffset(t *testing.T, name string) (setup []string, config map[string]any, partition, offset json.RawMessage) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "golden", "jdbc-source", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var recording struct {
		Setup  []string       `json:"setup_sql"`
		Config map[string]any `json:"connector_config"`
		Steps  []struct{ SQL []string }
		Expect []struct{ Partition, Offset json.RawMessage } `json:"expect_offsets"`
	}
	if err := json.Unmarshal(b, &recording); err != nil {
		t.Fatal(err)
	}
	for _, step := range recording.Steps {
		recording.Setup = append(recording.Setup, step.SQL...)
	}
	return recording.Setup, recording.Config, recording.Expect[0].Partition, recording.Expect[0].Offset
}

func TestAJDBCSourceGoesOnFromRecordedOffsetsOfEachMode(t *testing.T) {
	w := harness.Worker(t, quick)
	k := harness.Broker(t)
	for _, c := range []struct {
		recording string
		topic     string // what follows the prefix
		insert    string // the next row
	}{
		{"md_inc", "t", "INSERT INTO t(name) VALUES ('next')"},
		{"md_ts", "t", "INSERT INTO t VALUES (9, '2024-02-01 00:00:00', 'next')"},
		{"md_tsinc", "t", "INSERT INTO t VALUES (9, '2024-02-01 00:00:00', 'next')"},
		{"md_query_inc", "q", "INSERT INTO t(name) VALUES ('next')"},
		{"md_query_tsinc", "q", "INSERT INTO t VALUES (9, '2024-02-01 00:00:00', 'next')"},
	} {
		t.Run(c.recording, func(t *testing.T) {
			db := harness.MariaDB(t)
			setup, recordedConfig, partition, offset := javaOffset(t, c.recording)
			for _, sql := range setup {
				db.Exec(t, sql)
			}
			prefix := harness.Name("jdbc")
			k.Forget(t, prefix+c.topic)
			name := prefix + "-source"
			// As bytes, so that their members stay in the order in which Java wrote them.
			key := `["` + name + `",` + strings.ReplaceAll(string(compacted(t, partition)), "rc_"+c.recording+".", db.Name+".") + `]`
			k.Produce(t, w.Properties["offset.storage.topic"], &kgo.Record{Key: []byte(key), Value: compacted(t, offset)})

			config := map[string]string{
				"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "connection.url": db.JDBC(),
				"connection.user": db.User, "connection.password": db.Password, "topic.prefix": prefix, "poll.interval.ms": "50",
				"kconnect.gap.timeout.ms": "0", // as Java: what has the same instant as the offset is not asked for again
			}
			for key, value := range recordedConfig {
				if value, ok := value.(string); ok {
					config[key] = strings.ReplaceAll(value, "${prefix}", prefix)
				}
			}
			w.Create(t, name, config)
			w.WaitStatus(t, name, "RUNNING", 1)
			db.Exec(t, c.insert)
			if first := k.Consume(t, prefix+c.topic, 1)[0]; !strings.Contains(string(first.Value), `"next"`) {
				t.Errorf("the first record is %s, want the row behind the offset %s", first.Value, offset)
			}
			must(t, w, 204, "DELETE", "/connectors/"+name, "")
		})
	}
}

func compacted(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	b, err := json.Marshal(raw) // which leaves out the spaces
	if err != nil {
		t.Fatal(err)
	}
	return b
}
