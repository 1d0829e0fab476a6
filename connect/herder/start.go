package herder

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kconnect/connect/group"
	"kconnect/connect/metrics"
	"kconnect/connect/plugin"
	"kconnect/connect/storage"
	"kconnect/connect/worker"
)

// startTimeout is how long a start waits for brokers that cannot be reached.
const startTimeout = time.Minute

// open opens the internal topics, creating those that are absent, and reads them.
func (h *Herder) open(ctx context.Context) error {
	client, err := kgo.NewClient(append(h.metered(metrics.Admin, h.cfg.ClientID+"-admin"), kgo.ClientID(h.cfg.ClientID+"-admin"))...)
	if err != nil {
		return err
	}
	h.admin = kadm.NewClient(client)
	if err := h.awaitCluster(ctx); err != nil {
		return err
	}
	stores := h.openTopics
	if h.cfg.Standalone {
		stores = h.openAlone
	}
	if err := stores(ctx); err != nil {
		return err
	}
	h.worker = worker.New(h.cfg.Worker, h.registry, h.providers, h.offsets, h, h.logs)
	h.warnOfUnknownClasses()
	snapshot := func() (int64, map[string]int) {
		snapshot := h.configs.Snapshot()
		tasks := make(map[string]int, len(snapshot.Connectors))
		for name, c := range snapshot.Connectors {
			tasks[name] = len(c.Tasks)
		}
		return snapshot.Offset, tasks
	}
	if h.cfg.Standalone {
		h.member = group.NewLone(snapshot)
		return nil
	}
	membership := h.cfg.Group
	membership.Classes = h.registry.Names()
	membership.Needs = func(name string) []string {
		if c := h.configs.Snapshot().Connectors[name]; c != nil {
			return plugin.Needs(c.Config)
		}
		return nil
	}
	h.member, err = group.New(h.metered(metrics.Member, membership.ClientID), membership, snapshot)
	return err
}

// openTopics opens the stores of a worker of a cluster. The three topics are
// independent, and the start of the process waits for all of them.
func (h *Herder) openTopics(ctx context.Context) error {
	store := func(topic storage.Topic, suffix string) storage.LogConfig {
		return storage.LogConfig{Topic: topic, ClientID: h.cfg.ClientID + suffix, Client: h.metered(metrics.Producer|metrics.Consumer, h.cfg.ClientID+suffix), Logger: h.logs.Named("storage")}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		h.offsets, err = storage.OpenOffsets(gctx, store(h.cfg.Offsets, "-offsets"))
		return err
	})
	g.Go(func() (err error) {
		h.statuses, err = storage.OpenStatuses(gctx, store(h.cfg.Statuses, "-statuses"))
		return err
	})
	g.Go(func() (err error) {
		h.configs, err = storage.OpenConfigs(gctx, store(h.cfg.Configs, "-configs"), h.configChanged)
		return err
	})
	return g.Wait()
}

// openAlone opens the stores of a worker by itself.
func (h *Herder) openAlone(context.Context) (err error) {
	log := h.logs.Named("storage")
	h.statuses, h.configs = storage.MemoryStatuses(log), storage.MemoryConfigs(log, h.configChanged)
	h.offsets, err = storage.OpenOffsetFile(h.cfg.OffsetFile, log)
	return err
}

// metered returns the settings of one of the worker's own clients, which is
// counted under its client id.
func (h *Herder) metered(role metrics.Role, clientID string) []kgo.Opt {
	return append(slices.Clone(h.cfg.Client), kgo.WithHooks(h.cfg.Worker.Metrics.Client(role, clientID)))
}

// awaitCluster asks for the cluster's id until a broker answers.
func (h *Herder) awaitCluster(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		metadata, err := h.admin.BrokerMetadata(ctx)
		if err == nil {
			h.clusterID = metadata.Cluster
			return nil
		}
		if err := refused(err); err != nil {
			return err
		}
		if ctx.Err() == nil {
			h.log.Warn("No broker of bootstrap.servers can be reached yet", zap.Error(err))
		}
		timer := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("the Kafka cluster cannot be reached: %w; check bootstrap.servers, security.protocol and ssl.keystore.* of the worker", err)
		case <-timer.C:
		}
	}
}

// refused is the error of a start that no waiting helps: brokers and worker
// have reached each other, and one of them does not accept the other.
func refused(err error) error {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Errorf("the brokers refuse the login: %w; check sasl.mechanism and sasl.jaas.config of the worker", err)
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of the brokers is not accepted: %w; check ssl.truststore.* of the worker, and that bootstrap.servers has the names in the certificate", err)
	}
	return nil
}

// warnOfUnknownClasses names the classes of the config topic that this worker
// lacks, in one line.
func (h *Herder) warnOfUnknownClasses() {
	lacking := unknownClasses(h.configs.Snapshot(), h.registry.Names())
	if len(lacking) == 0 {
		return
	}
	h.log.Warn("The config topic names classes that this worker does not have. Connectors that need them go to workers that have them, where the leader can know that; "+
		"on this one they would be FAILED", zap.Strings("classes", lacking))
}

// unknownClasses returns what connectors name and is not among names, sorted,
// each with the connectors that name it.
func unknownClasses(configs *storage.ConfigSnapshot, names []string) []string {
	lacking := make(map[string][]string)
	for _, connector := range slices.Sorted(maps.Keys(configs.Connectors)) {
		for _, class := range plugin.Needs(configs.Connectors[connector].Config) {
			if _, known := slices.BinarySearch(names, class); !known && !slices.Contains(lacking[class], connector) {
				lacking[class] = append(lacking[class], connector)
			}
		}
	}
	var texts []string
	for _, class := range slices.Sorted(maps.Keys(lacking)) {
		texts = append(texts, fmt.Sprintf("%s (%s)", class, strings.Join(lacking[class], ", ")))
	}
	return texts
}

func (h *Herder) close() {
	if h.offsets != nil {
		h.offsets.Close()
	}
	if h.statuses != nil {
		h.statuses.Close()
	}
	if h.configs != nil {
		h.configs.Close()
	}
	if h.admin != nil {
		h.admin.Close()
	}
}
