package worker

import (
	"context"
	"sync/atomic"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connect/config"
)

// connector runs one connector. Its goroutine makes every call of the plugin,
// so that a call that hangs blocks this connector alone.
type connector struct {
	name    string
	plugin  *connect.Plugin
	config  config.Map
	log     *zap.Logger
	env     connect.ConnectorEnv
	report  func(t Transition, trace string)
	life    *life
	target  Target
	calls   chan func(ctx context.Context) // the next calls of the plugin
	ctx     context.Context                // ends when it shall stop
	cancel  context.CancelFunc
	done    chan struct{}
	running atomic.Bool // Start succeeded and Stop was not called

	plug connect.Connector // the goroutine's
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
		case call := <-c.calls:
			call(ctx)
		}
	}
}

// do queues a call. It reports false when the connector is gone.
func (c *connector) do(call func(ctx context.Context)) bool {
	select {
	case c.calls <- call:
		return true
	case <-c.done:
		return false
	}
}

// move brings the plugin to a target. The error is that of Start.
func (c *connector) move(ctx context.Context, target Target) error {
	c.target = target
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
