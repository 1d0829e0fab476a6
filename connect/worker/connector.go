package worker

import (
	"context"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
)

// connector runs one connector. Its goroutine makes every call of the plugin,
// so that a call that hangs blocks this connector alone: those who ask for
// something never wait for their turn.
type connector struct {
	name    string
	plugin  *connect.Plugin
	config  config.Map
	filled  config.Filled // of it
	log     *zap.Logger
	env     connect.ConnectorEnv
	report  func(t Transition, trace string)
	life    *life
	aims    aims
	calls   chan func(ctx context.Context) // other calls of the plugin
	ctx     context.Context                // ends when it shall stop
	cancel  context.CancelFunc
	done    chan struct{}
	running atomic.Bool // Start succeeded and Stop was not called

	plug connect.Connector // the goroutine's
}

// aims is where a connector shall get to: only the last target counts, however
// many came while the plugin was busy.
type aims struct {
	mu     sync.Mutex
	target Target
	told   []func(error) // to be told when it is there
	set    chan struct{} // has a token when there is something to do
}

// Target is what a connector and its tasks shall be.
type Target uint8

// The targets.
const (
	TargetRunning Target = iota
	TargetPaused
	TargetStopped
)

// run serves calls until it is cancelled, then stops the plugin.
func (c *connector) run(ctx context.Context) {
	defer close(c.done)
	for {
		select {
		case <-ctx.Done():
			c.halt(context.WithoutCancel(ctx))
			return
		case <-c.aims.set:
			c.follow(ctx)
		case call := <-c.calls:
			call(ctx)
		}
	}
}

// aim asks for a target. moved is called from the connector's goroutine when it
// got there or could not; never, when it is stopped before.
func (c *connector) aim(target Target, moved func(error)) {
	c.aims.mu.Lock()
	c.aims.target = target
	c.aims.told = append(c.aims.told, moved)
	c.aims.mu.Unlock()
	select {
	case c.aims.set <- struct{}{}:
	default: // it is to look anyway
	}
}

// follow moves to the last target that was asked for.
func (c *connector) follow(ctx context.Context) {
	c.aims.mu.Lock()
	target, told := c.aims.target, c.aims.told
	c.aims.told = nil
	c.aims.mu.Unlock()
	err := c.move(ctx, target)
	for _, moved := range told {
		moved(err)
	}
}

// do queues a call. It reports false when too many wait already.
func (c *connector) do(call func(ctx context.Context)) bool {
	select {
	case c.calls <- call:
		return true
	default:
		return false
	}
}

// move brings the plugin to a target. The error is that of Start.
func (c *connector) move(ctx context.Context, target Target) error {
	switch target {
	case TargetStopped:
		c.halt(ctx)
		c.report(OnHalt, "")
		return nil
	case TargetPaused:
		c.halt(ctx)
		c.report(OnPause, "")
		return nil
	case TargetRunning:
	}
	if c.running.Load() {
		return nil
	}
	plug := c.plugin.New().(connect.Connector) //nolint:errcheck,forcetypeassert // the registry holds connectors under this kind
	c.plug = plug
	c.running.Store(true)
	if err := guard(func() error { return plug.Start(ctx, &c.env) }); err != nil {
		c.halt(ctx)
		c.log.Error("The connector failed to start", zap.Error(err))
		c.report(OnFail, connect.Trace(err))
		return err
	}
	c.report(OnStart, "")
	return nil
}

// halt stops the plugin if it runs.
func (c *connector) halt(ctx context.Context) {
	if !c.running.Swap(false) {
		return
	}
	if err := guard(func() error { return c.plug.Stop(ctx) }); err != nil {
		c.log.Warn("Stopping the connector failed", zap.Error(err))
	}
	c.plug = nil
}

// taskConfigs plans the tasks.
func (c *connector) taskConfigs(ctx context.Context, maxTasks int) (configs []config.Map, err error) {
	err = guard(func() error {
		configs, err = c.plug.TaskConfigs(ctx, maxTasks)
		return err
	})
	return configs, err
}
