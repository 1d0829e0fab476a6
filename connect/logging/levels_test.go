package logging

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"
)

func TestALevelAppliesToTheLoggersBelow(t *testing.T) {
	levels := NewLevels(func() time.Time { return time.UnixMilli(5) })
	var out bytes.Buffer
	log := New(levels, zapcore.AddSync(&out))
	a, b := log.Named("task").Named("a"), log.Named("herder")
	a.Debug("hidden")
	a.Info("shown 1")
	changed, err := levels.Set("task", "debug")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"task", "task.a"}, changed); diff != "" {
		t.Errorf("changed loggers (-want +got):\n%s", diff)
	}
	a.Debug("shown 2")
	b.Debug("hidden")
	if again, _ := levels.Set("task", "DEBUG"); len(again) != 0 {
		t.Errorf("setting the same level changed %v", again)
	}
	if _, err := levels.Set("herder", "OFF"); err != nil {
		t.Fatal(err)
	}
	b.Error("hidden")
	if got := strings.Count(out.String(), "shown"); got != 2 || strings.Contains(out.String(), "hidden") {
		t.Errorf("log is %q", out.String())
	}
	if l, ok := levels.Get("task.a"); !ok || l.Name != "DEBUG" || l.LastModified.UnixMilli() != 5 {
		t.Errorf("level of task.a is %v, %v", l, ok)
	}
	if _, ok := levels.Get("nobody"); ok {
		t.Error("an unknown logger has a level")
	}
}

func TestAnUnknownLevelIsRefused(t *testing.T) {
	levels := NewLevels(time.Now)
	if _, err := levels.Set(Root, "LOUD"); err == nil {
		t.Error("LOUD was taken as a level")
	}
	if l, _ := levels.Get(Root); l.Name != "INFO" {
		t.Errorf("the root is at %s", l.Name)
	}
}

// As a Java worker 4.2.0 answered to the same calls of /admin/loggers.
func TestLevelsAreSetAsInLog4j(t *testing.T) {
	levels := NewLevels(func() time.Time { return time.UnixMilli(5) })
	levels.know("k.ab.c")
	levels.know("k.b")
	for _, c := range []struct {
		logger, level string
		changed       []string
	}{
		{"k.x", "INFO", nil}, // the level that it inherits
		{"k.ab", " warn ", []string{"k.ab", "k.ab.c"}},
		{"k.b", "DEBUG", []string{"k.b"}},
		{"k.a", "ERROR", []string{"k.a", "k.ab", "k.ab.c"}}, // also those that only begin alike
		{"k", "OFF", []string{"k", "k.a", "k.ab", "k.ab.c", "k.b", "k.x"}},
		{"k.x", "OFF", []string{"k.x"}},
		{"r", "DEBUG", []string{"r"}}, // not the root
		{"ROOT", "TRACE", []string{"k", "k.a", "k.ab", "k.ab.c", "k.b", "k.x", "r", "root"}},
		{"root", "TRACE", nil},
	} {
		changed, err := levels.Set(c.logger, c.level)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.changed, changed); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.logger, c.level, diff)
		}
		if got, ok := levels.Get(c.logger); !ok || got.Name != strings.ToUpper(strings.TrimSpace(c.level)) || got.LastModified.IsZero() != (c.logger == "k.x" && c.level == "INFO") {
			t.Errorf("%s is at %v, %v", c.logger, got, ok)
		}
		if _, shown := levels.All()[rootName(c.logger)]; shown == (c.level == "OFF") {
			t.Errorf("%s is in the list of all at %s: %v", c.logger, c.level, shown)
		}
	}
}
