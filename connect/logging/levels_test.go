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
