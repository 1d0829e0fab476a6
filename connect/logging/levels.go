// Package logging makes the worker's log: named zap loggers whose levels can be
// changed by name while the worker runs, as /admin/loggers does.
package logging

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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
	mu      sync.Mutex // of writers
	now     func() time.Time
	current atomic.Pointer[levels]
}

// levels is what is set at one time. It is never changed.
type levels struct {
	own   map[string]string    // the loggers that were given a level, always with the root
	known map[string]time.Time // all loggers there are, and when their level last changed
}

// NewLevels returns levels with the root at INFO.
func NewLevels(now func() time.Time) *Levels {
	l := &Levels{now: now}
	l.current.Store(&levels{own: map[string]string{Root: "INFO"}, known: map[string]time.Time{Root: {}}})
	return l
}

// thresholds are Java's level names and the least severe zap level that each
// lets through.
var thresholds = map[string]zapcore.Level{
	"OFF": zapcore.InvalidLevel, "FATAL": zapcore.DPanicLevel, "ERROR": zapcore.ErrorLevel, "WARN": zapcore.WarnLevel,
	"INFO": zapcore.InfoLevel, "DEBUG": zapcore.DebugLevel, "TRACE": zapcore.DebugLevel, "ALL": zapcore.DebugLevel,
}

// Set gives a level to a logger, which is known from then on, and to those that
// have one of their own and whose name begins with its name, with or without a
// dot between (as in log4j). It returns the names of the loggers whose level
// changed, in order; one that was OFF counts in any case. An unknown level is
// an error.
func (l *Levels) Set(logger, level string) ([]string, error) {
	level = strings.ToUpper(strings.TrimSpace(level))
	if _, ok := thresholds[level]; !ok {
		return nil, fmt.Errorf("invalid log level '%s'", level)
	}
	logger = rootName(logger)
	below := func(name string) bool {
		return logger == Root || name == logger || name != Root && strings.HasPrefix(name, logger)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.current.Load()
	next := &levels{own: maps.Clone(old.own), known: maps.Clone(old.known)}
	next.own[logger] = level
	for name := range old.own {
		if below(name) {
			next.own[name] = level
		}
	}
	if _, ok := next.known[logger]; !ok {
		next.known[logger] = time.Time{}
	}
	var changed []string
	for name := range next.known {
		if before := old.level(name); below(name) && (before == "OFF" || before != next.level(name)) {
			next.known[name] = l.now()
			changed = append(changed, name)
		}
	}
	l.current.Store(next)
	slices.Sort(changed)
	return changed, nil
}

// Get returns the level of a logger and whether it is known by name.
func (l *Levels) Get(logger string) (Level, bool) {
	logger = rootName(logger)
	set := l.current.Load()
	modified, ok := set.known[logger]
	return Level{set.level(logger), modified}, ok
}

// All returns the levels of all loggers that are known by name, without those
// that are OFF.
func (l *Levels) All() map[string]Level {
	set := l.current.Load()
	all := make(map[string]Level, len(set.known))
	for name, modified := range set.known {
		if level := set.level(name); level != "OFF" {
			all[name] = Level{level, modified}
		}
	}
	return all
}

// rootName returns Root for that name in any case.
func rootName(logger string) string {
	if strings.EqualFold(logger, Root) {
		return Root
	}
	return logger
}

// know makes a logger appear in All, with the level that it inherits.
func (l *Levels) know(logger string) {
	if logger == "" {
		return
	}
	if _, ok := l.current.Load().known[logger]; ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.current.Load()
	if _, ok := old.known[logger]; ok {
		return
	}
	next := &levels{own: old.own, known: maps.Clone(old.known)}
	next.known[logger] = time.Time{}
	l.current.Store(next)
}

// level returns the level that a logger writes at.
func (s *levels) level(logger string) string {
	for name := logger; name != ""; {
		if v, ok := s.own[name]; ok {
			return v
		}
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			break
		}
		name = name[:i]
	}
	return s.own[Root]
}

// enabled reports whether a logger writes at a level.
func (l *Levels) enabled(logger string, at zapcore.Level) bool {
	threshold := thresholds[l.current.Load().level(logger)]
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

// Known reports whether there is a level of that name, in any case and with
// blanks around it.
func Known(level string) bool {
	_, ok := thresholds[strings.ToUpper(strings.TrimSpace(level))]
	return ok
}
