package worker

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/group"
	"kconnect/connect/plugin"
)

// planner is a connector.
type planner struct {
	env           *connect.ConnectorEnv
	start         func() error
	plan          func() ([]config.Map, error)
	stop          func(ctx context.Context)
	starts, stops *atomic.Int64
}

func (p *planner) Start(_ context.Context, env *connect.ConnectorEnv) error {
	p.env = env
	if p.starts != nil {
		p.starts.Add(1)
	}
	if p.start != nil {
		return p.start()
	}
	return nil
}

func (p *planner) TaskConfigs(context.Context, int) ([]config.Map, error) {
	if p.plan != nil {
		return p.plan()
	}
	return []config.Map{p.env.Config.Clone()}, nil
}

func (p *planner) Stop(ctx context.Context) error {
	if p.stops != nil {
		p.stops.Add(1)
	}
	if p.stop != nil {
		p.stop(ctx)
	}
	return nil
}

// secrets is a provider with one secret, under one path.
type secrets struct{}

func (secrets) Configure(config.Map) error { return nil }

func (secrets) Get(path string, _ []string) (config.Map, error) {
	if path != "db" {
		return nil, errors.New("the vault has no " + path)
	}
	return config.Map{"password": "hunter2"}, nil
}

var theConnector = group.ID{Connector: "c", Task: group.ConnectorTask}

// office runs connectors without any Kafka.
type office struct {
	*Worker
	heard         *heard
	starts, stops atomic.Int64
}

func newOffice(t *testing.T, made func(*planner)) *office {
	t.Helper()
	o := &office{heard: &heard{}}
	registry, err := plugin.New(connect.Plugin{Class: "Planner", Kind: connect.SourcePlugin, Version: "7", TaskClass: "PlannerTask", Def: config.NewDef(), New: func() any {
		p := &planner{starts: &o.starts, stops: &o.stops}
		if made != nil {
			made(p)
		}
		return p
	}})
	if err != nil {
		t.Fatal(err)
	}
	o.Worker = New(Config{Properties: config.Map{}, GracefulTimeout: 5 * time.Second}, registry, config.Providers{"vault": secrets{}}, nil, o.heard, zap.NewNop())
	return o
}

func planned(extra config.Map) config.Raw {
	m := config.Map{"name": "c", "connector.class": "Planner", "tasks.max": "2"}
	for k, v := range extra {
		m[k] = v
	}
	return config.FromMap(m)
}

// run starts the connector and returns how that ended.
func (o *office) run(cfg config.Raw, target Target) error {
	started := make(chan error, 1)
	o.StartConnector("c", cfg, target, func(err error) { started <- err })
	return <-started
}

// to moves the connector to a target. It must run within a synctest bubble.
func (o *office) to(target Target) (here bool, err error) {
	moved := make(chan error, 1)
	o.SetTarget("c", target, func(err error) { moved <- err })
	synctest.Wait()
	select {
	case err := <-moved:
		return true, err
	default:
		return false, nil
	}
}

func (o *office) stop(why Transition) { o.Stop([]string{"c"}, nil, why) }

func TestAConnectorFollowsItsTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, nil)
		if err := o.run(planned(nil), TargetRunning); err != nil {
			t.Fatal(err)
		}
		for _, target := range []Target{TargetPaused, TargetRunning, TargetRunning, TargetStopped, TargetRunning} {
			if here, err := o.to(target); !here || err != nil {
				t.Errorf("target %d: here %t, %v", target, here, err)
			}
		}
		o.stop(OnRevoke)
		if diff := cmp.Diff([]State{Running, Paused, Running, Stopped, Running, Unassigned}, o.heard.states()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		if o.starts.Load() != 3 || o.stops.Load() != 3 {
			t.Errorf("%d starts and %d stops, want 3 of each: a paused or stopped connector holds nothing", o.starts.Load(), o.stops.Load())
		}
		if v := o.heard.last(theConnector).Version; v != "7" {
			t.Errorf("the status shows version %q", v)
		}
		if here, _ := o.to(TargetRunning); here {
			t.Error("a connector that was stopped is still here")
		}
	})
}

func TestAConnectorThatIsAssignedPausedDoesNotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, nil)
		if err := o.run(planned(nil), TargetPaused); err != nil {
			t.Fatal(err)
		}
		if _, err := o.TaskConfigs(t.Context(), "c", planned(nil)); err == nil {
			t.Error("a paused connector plans tasks")
		}
		o.stop(OnRevoke)
		if diff := cmp.Diff([]State{Paused, Unassigned}, o.heard.states()); diff != "" || o.starts.Load() != 0 {
			t.Errorf("%d starts, states (-want +got):\n%s", o.starts.Load(), diff)
		}
	})
}

func TestAConnectorThatCannotStartIsFailedAndSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   config.Raw
		start func() error
		trace string
	}{
		{"an error of the connector", planned(nil), func() error { return connect.NewError("no such table", nil) },
			"org.apache.kafka.connect.errors.ConnectException: no such table\n"},
		{"a panic", planned(nil), func() error { panic("index out of range") },
			"org.apache.kafka.connect.errors.ConnectException: the plugin panicked: index out of range\n"},
		{"an unknown class", planned(config.Map{"connector.class": "Gone"}), nil, "org.apache.kafka.connect.errors.ConnectException: Failed to find any class that implements Connector"},
		{"a secret that is not there", planned(config.Map{"x": "${vault:cache:password}"}), nil, "org.apache.kafka.connect.errors.ConnectException: the vault has no cache"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, func(p *planner) { p.start = c.start })
				if err := o.run(c.cfg, TargetRunning); err == nil {
					t.Error("the start did not fail")
				}
				s := o.heard.last(theConnector)
				if s.State != Failed || !strings.HasPrefix(s.Trace, c.trace) {
					t.Errorf("the status is %s with trace %s", s.State, s.Trace)
				}
				o.stop(OnDelete)
				if o.stops.Load() != o.starts.Load() {
					t.Errorf("%d stops after %d starts", o.stops.Load(), o.starts.Load())
				}
			})
		})
	}
}

func TestAFailedConnectorRunsAgainAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		o := newOffice(t, func(p *planner) {
			p.start = func() error {
				if broken {
					return errors.New("down")
				}
				return nil
			}
		})
		if err := o.run(planned(nil), TargetRunning); err == nil {
			t.Fatal("it started")
		}
		broken = false
		o.stop(OnRestart)
		if err := o.run(planned(nil), TargetRunning); err != nil {
			t.Error(err)
		}
		o.stop(OnRevoke)
		if diff := cmp.Diff([]State{Failed, Restarting, Running, Unassigned}, o.heard.states()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	})
}

func TestPlannedTasksKeepWhatTheUserWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := ""
		o := newOffice(t, func(p *planner) {
			p.plan = func() ([]config.Map, error) {
				seen = p.env.Config["password"]
				m := p.env.Config.Clone()
				m["tables"] = "a,b"
				return []config.Map{m}, nil
			}
		})
		cfg := planned(config.Map{"password": "${vault:db:password}"})
		if err := o.run(cfg, TargetRunning); err != nil {
			t.Fatal(err)
		}
		got, err := o.TaskConfigs(t.Context(), "c", cfg)
		if err != nil {
			t.Fatal(err)
		}
		want := []config.Map{{"name": "c", "connector.class": "Planner", "tasks.max": "2", "password": "${vault:db:password}", "tables": "a,b", "task.class": "PlannerTask"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tasks (-want +got):\n%s", diff)
		}
		if seen != "hunter2" {
			t.Errorf("the connector itself saw %q", seen)
		}
		o.stop(OnRevoke)
	})
}

func TestTasksThatCannotBePlannedFailTheConnector(t *testing.T) {
	three := []config.Map{{}, {}, {}}
	for _, c := range []struct {
		name  string
		cfg   config.Map
		plan  func() ([]config.Map, error)
		state State
		tasks int
	}{
		{"an error", nil, func() ([]config.Map, error) { return nil, errors.New("no auto-increment column") }, Failed, 0},
		{"a panic", nil, func() ([]config.Map, error) { panic("nil map") }, Failed, 0},
		{"more tasks than tasks.max", nil, func() ([]config.Map, error) { return three, nil }, Failed, 0},
		{"more tasks, and nobody minds", config.Map{"tasks.max.enforce": "false"}, func() ([]config.Map, error) { return three, nil }, Running, 3},
		{"a database that is down", nil, func() ([]config.Map, error) { return nil, connect.NewRetriable("no route", nil) }, Running, 0},
		{"no tasks at all", nil, func() ([]config.Map, error) { return nil, nil }, Running, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, func(p *planner) { p.plan = c.plan })
				if err := o.run(planned(c.cfg), TargetRunning); err != nil {
					t.Fatal(err)
				}
				tasks, _ := o.TaskConfigs(t.Context(), "c", planned(c.cfg))
				if s := o.heard.last(theConnector).State; s != c.state || len(tasks) != c.tasks {
					t.Errorf("%d tasks and %s, want %d and %s", len(tasks), s, c.tasks, c.state)
				}
				o.stop(OnRevoke)
			})
		})
	}
}

func TestAConnectorAsksForNewTasksAndFailsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var env *connect.ConnectorEnv
		o := newOffice(t, func(p *planner) { p.start = func() error { env = p.env; return nil } })
		if err := o.run(planned(nil), TargetRunning); err != nil {
			t.Fatal(err)
		}
		env.Reconfigure()
		if o.heard.planned != 1 {
			t.Errorf("asked %d times", o.heard.planned)
		}
		env.Fail(errors.New("the monitor thread died"))
		if s := o.heard.last(theConnector); s.State != Failed || !strings.Contains(s.Trace, "the monitor thread died") {
			t.Errorf("the status is %+v", s)
		}
		o.stop(OnDelete)
		env.Fail(errors.New("a straggler"))
		if n := len(o.heard.states()); n != 2 {
			t.Errorf("%d reports: a connector that is gone is heard", n)
		}
	})
}

// hang blocks for good, whatever its context says, until the test is over.
func hang(t *testing.T) (hanging func(), release func()) {
	over := make(chan struct{})
	return func() { <-over }, func() { close(over) }
}

func TestAConnectorThatHangsBlocksOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging, release := hang(t)
		o := newOffice(t, func(p *planner) {
			p.start = func() error {
				if p.env.Connector == "c" {
					hanging()
				}
				return nil
			}
		})
		o.StartConnector("c", planned(nil), TargetRunning, func(error) {})
		started := make(chan error, 1)
		o.StartConnector("d", planned(nil), TargetRunning, func(err error) { started <- err })
		if err := <-started; err != nil {
			t.Error(err)
		}
		synctest.Wait() // until c hangs; one that has not begun stops at once
		begin := time.Now()
		o.Stop([]string{"c", "d"}, nil, OnRevoke)
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("stopping took %s of the clock, want the graceful timeout", d)
		}
		for _, id := range []group.ID{theConnector, {Connector: "d", Task: group.ConnectorTask}} {
			if s := o.heard.last(id).State; s != Unassigned {
				t.Errorf("%s is %s", id, s)
			}
		}
		release()
		synctest.Wait()
		if s := o.heard.last(theConnector).State; s != Unassigned {
			t.Errorf("the straggler reported %s", s)
		}
	})
}

func TestNobodyWaitsForAConnectorThatWasLeftBehind(t *testing.T) {
	for _, where := range []string{"start", "plan", "stop"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hanging, release := hang(t)
				o := newOffice(t, func(p *planner) {
					p.start = func() error {
						if where == "start" {
							hanging()
						}
						return nil
					}
					p.plan = func() ([]config.Map, error) { hanging(); return nil, nil }
					p.stop = func(context.Context) {
						if where == "stop" {
							hanging()
						}
					}
				})
				begin := time.Now()
				o.StartConnector("c", planned(nil), TargetRunning, func(error) {})
				synctest.Wait()
				// It hangs, and whoever asks for something has an answer or goes on.
				for range 100 {
					o.SetTarget("c", TargetPaused, func(error) {})
					o.SetTarget("c", TargetRunning, func(error) {})
				}
				plans := make(chan error, 100)
				for range cap(plans) {
					go func() {
						_, err := o.TaskConfigs(context.Background(), "c", planned(nil))
						plans <- err
					}()
				}
				synctest.Wait()
				if d := time.Since(begin); d > 0 {
					t.Errorf("they waited for %s of the clock", d)
				}
				o.stop(OnRevoke)
				synctest.Wait()
				for range cap(plans) {
					select {
					case err := <-plans:
						if err == nil {
							t.Error("a plan of a connector that hangs")
						}
					default:
						t.Fatal("somebody still waits for a plan")
					}
				}
				// A new one of the same name takes its place.
				where = "nowhere"
				if err := o.run(planned(nil), TargetPaused); err != nil {
					t.Error(err)
				}
				if s := o.heard.last(theConnector).State; s != Paused {
					t.Errorf("the new one is %s", s)
				}
				o.stop(OnRevoke)
				release()
				synctest.Wait()
				if s := o.heard.last(theConnector).State; s != Unassigned {
					t.Errorf("the straggler reported %s", s)
				}
			})
		})
	}
}

func TestAConnectorThatWasBusyGetsToTheLastTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging, release := hang(t)
		o := newOffice(t, func(p *planner) { p.start = func() error { hanging(); return nil } })
		o.StartConnector("c", planned(nil), TargetRunning, func(error) {})
		synctest.Wait()
		answers := 0
		for _, target := range []Target{TargetPaused, TargetRunning, TargetStopped} {
			o.SetTarget("c", target, func(error) { answers++ })
		}
		release()
		synctest.Wait()
		if diff := cmp.Diff([]State{Running, Stopped}, o.heard.states()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		if answers != 3 {
			t.Errorf("%d answers, want 3", answers)
		}
		o.stop(OnRevoke)
	})
}

func TestWhatWasPlannedEndsWithItsConnector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, nil)
		if err := o.run(planned(nil), TargetRunning); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := o.UntilStopped(t.Context(), "c")
		defer cancel()
		if ctx.Err() != nil {
			t.Error("it ended while the connector runs")
		}
		o.stop(OnRevoke)
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("it goes on after the connector was stopped")
		}
		gone, cancel := o.UntilStopped(t.Context(), "c")
		defer cancel()
		if gone.Err() == nil {
			t.Error("it begins without a connector")
		}
	})
}

// stuck is a task that heeds nothing.
func stuck(o *office, n int) *task {
	t := &task{id: group.ID{Connector: "c", Task: n}, cancel: func() {}, kill: func() {}, done: make(chan struct{}), pause: newPause(false)}
	t.life = o.newLife(t.id, "")
	o.tasks[t.id] = t
	return t
}

func TestTasksThatHangAreLeftBehindTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, nil)
		var all []group.ID
		for n := range 20 {
			all = append(all, stuck(o, n).id)
		}
		hanging, release := hang(t)
		o.StartConnector("c", planned(nil), TargetRunning, func(error) {})
		synctest.Wait()
		_ = o.connectors["c"].do(func(context.Context) { hanging() })
		synctest.Wait()
		begin := time.Now()
		o.Stop([]string{"c"}, all, OnRevoke)
		// The graceful timeout is for all together, and so is the moment after
		// it: a worker that shuts down has seconds (Promise 7).
		if d, want := time.Since(begin), 6*time.Second; d != want {
			t.Errorf("20 tasks and a connector that hang hold up a stop for %s of the clock, want %s", d, want)
		}
		release()
		if _, tasks := o.Running(); len(tasks) > 0 {
			t.Errorf("%v still run", tasks)
		}
	})
}

func TestATaskIsKilledWhenTheGracefulTimeoutIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, nil)
		ctx, kill := context.WithCancel(context.Background())
		tk := stuck(o, 0)
		tk.kill = kill
		go func() { <-ctx.Done(); close(tk.done) }()
		begin := time.Now()
		o.Stop(nil, []group.ID{tk.id}, OnRevoke)
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("it was killed after %s of the clock", d)
		}
		if s := o.heard.last(tk.id).State; s != Unassigned {
			t.Errorf("the task is %s", s)
		}
	})
}
