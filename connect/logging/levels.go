// Package logging makes the worker's log: named zap loggers whose levels can be
// changed by name while the worker runs, as /admin/loggers does.
package logging

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Root is the name of the logger above all others.
const Root = "root"

// Level is the level of one logger, in Java's words.
type Level struct {
	Name         string    // OFF FATAL ERROR WARN INFO DEBUG TRACE ALL
	LastModified time.Time // zero: it was never changed
}

// Levels holds the levels by logger name. A logger without a level of its own
// has that of the nearest one above it in its dotted name, at last that of the
// root. Its methods may be called from any goroutine; asking is lock-free.
type Levels struct {
	mu  sync.Mutex // of writers
	now func() time.Time
	set atomic.Pointer[map[string]Level]
}

// NewLevels returns levels with the root at INFO.
func NewLevels(now func() time.Time) *Levels {
	l := &Levels{now: now}
	l.set.Store(&map[string]Level{Root: {Name: "INFO"}})
	return l
}

// thresholds are Java's level names and the least severe zap level that each
// lets through.
var thresholds = map[string]zapcore.Level{
	"OFF": zapcore.InvalidLevel, "FATAL": zapcore.DPanicLevel, "ERROR": zapcore.ErrorLevel, "WARN": zapcore.WarnLevel,
	"INFO": zapcore.InfoLevel, "DEBUG": zapcore.DebugLevel, "TRACE": zapcore.DebugLevel, "ALL": zapcore.DebugLevel,
}

// Set changes the level of a logger and of those below it that have one of
// their own. It returns the names of the loggers whose level changed, in
// order; none when the logger had that level already. An unknown level is an
// error.
func (l *Levels) Set(logger, level string) ([]string, error) {
	level = strings.ToUpper(level)
	if _, ok := thresholds[level]; !ok {
		return nil, fmt.Errorf("invalid log level '%s'", level)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := *l.set.Load()
	next := make(map[string]Level, len(old)+1)
	var changed []string
	for name, v := range old {
		if v.Name != level && (logger == Root || name == logger || strings.HasPrefix(name, logger+".")) {
			v = Level{level, l.now()}
			changed = append(changed, name)
		}
		next[name] = v
	}
	if _, known := old[logger]; !known && effective(old, logger).Name != level {
		next[logger] = Level{level, l.now()}
		changed = append(changed, logger)
	}
	l.set.Store(&next)
	slices.Sort(changed)
	return changed, nil
}

// Get returns the level of a logger and whether it is known by name.
func (l *Levels) Get(logger string) (Level, bool) {
	set := *l.set.Load()
	v, ok := set[logger]
	return v, ok
}

// All returns the levels of all loggers that are known by name.
func (l *Levels) All() map[string]Level {
	set := *l.set.Load()
	all := make(map[string]Level, len(set))
	for name, v := range set {
		all[name] = v
	}
	return all
}

// know makes a logger appear in All, with the level that it inherits.
func (l *Levels) know(logger string) {
	if logger == "" {
		return
	}
	if _, ok := (*l.set.Load())[logger]; ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := *l.set.Load()
	if _, ok := old[logger]; ok {
		return
	}
	next := make(map[string]Level, len(old)+1)
	for name, v := range old {
		next[name] = v
	}
	next[logger] = Level{Name: effective(old, logger).Name}
	l.set.Store(&next)
}

func effective(set map[string]Level, logger string) Level {
	for name := logger; name != ""; {
		if v, ok := set[name]; ok {
			return v
		}
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			break
		}
		name = name[:i]
	}
	return set[Root]
}

// enabled reports whether a logger writes at a level.
func (l *Levels) enabled(logger string, at zapcore.Level) bool {
	threshold := thresholds[effective(*l.set.Load(), logger).Name]
	return threshold != zapcore.InvalidLevel && at >= threshold
}

// New returns the root logger, which writes lines to out.
func New(levels *Levels, out zapcore.WriteSyncer) *zap.Logger {
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.TimeEncoderOfLayout("[2006-01-02 15:04:05.000]")
	cfg.EncodeLevel = zapcore.CapitalLevelEncoder
	cfg.ConsoleSeparator = " "
	core := zapcore.NewCore(zapcore.NewConsoleEncoder(cfg), out, zapcore.DebugLevel)
	return zap.New(&leveled{Core: core, levels: levels})
}

// leveled asks the levels by the name of the logger that writes.
type leveled struct {
	zapcore.Core
	levels *Levels
}

// With implements zapcore.Core.
func (c *leveled) With(fields []zapcore.Field) zapcore.Core {
	return &leveled{c.Core.With(fields), c.levels}
}

// Check implements zapcore.Core.
func (c *leveled) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	c.levels.know(e.LoggerName)
	if c.levels.enabled(e.LoggerName, e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Known reports whether there is a level of that name, in any case.
func Known(level string) bool {
	_, ok := thresholds[strings.ToUpper(level)]
	return ok
}
