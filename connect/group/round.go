package group

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const protocolType = "connect"

// protocol is one name that a member offers when it joins.
type protocol struct {
	name    string
	version int16
}

// protocolsOf is what a value of connect.protocol offers, the favourite first. The broker picks one that all list.
func protocolsOf(setting string) ([]protocol, error) {
	all := []protocol{{"sessioned", V2}, {"compatible", V1}, {"default", V0}}
	switch setting {
	case "sessioned":
		return all, nil
	case "compatible":
		return all[1:], nil
	case "eager":
		return all[2:], nil
	}
	return nil, fmt.Errorf("connect.protocol is %q: use sessioned, compatible or eager", setting)
}

// round is one JoinGroup and SyncGroup.
type round struct {
	memberID  string // empty for a new member
	completed int32  // generation of the last round that succeeded
	held      *Assignment
	memory    Memory
	reason    string
}

// outcome is what became of a round. memberID and memory hold even with an error: the broker may have given an id,
// and the assignor may have run.
type outcome struct {
	memberID   string
	memory     Memory
	generation Generation
	err        error
}

// play carries out one round, without retries.
func (m *Member) play(ctx context.Context, r round) outcome {
	o := outcome{memberID: r.memberID, memory: r.memory}
	offset, tasks := m.snapshot()
	join, err := m.joinGroup(ctx, r, offset, &o)
	if err != nil {
		o.err = fmt.Errorf("join worker group %q: %w", m.cfg.GroupID, err)
		return o
	}
	g := &o.generation
	g.Generation, g.MemberID = join.Generation, join.MemberID
	if join.Protocol != nil {
		g.Protocol = *join.Protocol
	}
	chosen := slices.IndexFunc(m.protocols, func(p protocol) bool { return p.name == g.Protocol })
	if chosen < 0 {
		o.err = fmt.Errorf("worker group %q chose protocol %q, which this worker did not offer", m.cfg.GroupID, g.Protocol)
		return o
	}

	var plan []kmsg.SyncGroupRequestGroupAssignment
	if join.LeaderID == join.MemberID {
		plan, err = m.lead(join, m.protocols[chosen].version, r.completed, offset, tasks, &o)
		if err != nil {
			o.err = fmt.Errorf("lead worker group %q: %w", m.cfg.GroupID, err)
			return o
		}
	}
	g.Assignment, err = m.syncGroup(ctx, *g, plan)
	if err != nil {
		o.err = fmt.Errorf("get the assignment of worker group %q: %w", m.cfg.GroupID, err)
		return o
	}
	g.Leader = g.Assignment.Leader == g.MemberID
	return o
}

func (m *Member) joinGroup(ctx context.Context, r round, offset int64, o *outcome) (*kmsg.JoinGroupResponse, error) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group = m.cfg.GroupID
	req.ProtocolType = protocolType
	req.SessionTimeoutMillis = int32(m.cfg.SessionTimeout.Milliseconds())
	req.RebalanceTimeoutMillis = int32(m.cfg.RebalanceTimeout.Milliseconds())
	req.Reason = kmsg.StringPtr(r.reason[:min(len(r.reason), 255)])
	for _, p := range m.protocols {
		metadata := Metadata{Version: p.version, URL: m.cfg.URL, Offset: offset, Allocation: r.held, Classes: m.cfg.Classes}
		jp := kmsg.NewJoinGroupRequestProtocol()
		jp.Name, jp.Metadata = p.name, metadata.Append(nil)
		req.Protocols = append(req.Protocols, jp)
	}
	for {
		req.MemberID = o.memberID
		resp, err := req.RequestWith(ctx, m.coordinator)
		if err != nil {
			return nil, err
		}
		err = kerr.ErrorForCode(resp.ErrorCode)
		if errors.Is(err, kerr.MemberIDRequired) && req.MemberID == "" && resp.MemberID != "" {
			o.memberID = resp.MemberID // KIP-394: the broker knows whom it waits for only from the second request on
			continue
		}
		if err == nil {
			o.memberID = resp.MemberID
		}
		return resp, err
	}
}

// lead assigns the work for all members.
func (m *Member) lead(join *kmsg.JoinGroupResponse, version int16, completed int32, offset int64, tasks map[string]int, o *outcome) ([]kmsg.SyncGroupRequestGroupAssignment, error) {
	members := make(map[string]Metadata, len(join.Members))
	newest := offset
	for _, member := range join.Members {
		metadata, err := DecodeMetadata(member.ProtocolMetadata)
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", member.MemberID, err)
		}
		members[member.MemberID] = metadata
		newest = max(newest, metadata.Offset)
	}
	if offset < newest {
		offset, tasks = m.snapshot() // what was read since this worker joined may be enough
	}
	plan, memory := Assign(Round{
		Version: version, Leader: join.MemberID, Generation: join.Generation, Completed: completed,
		Members: members, Offset: offset, Connectors: tasks, Needs: m.needs(members, tasks), MaxDelay: m.cfg.MaxDelay, Now: time.Now(),
	}, o.memory)
	o.memory = memory

	o.generation.Members = make(map[string]string, len(members))
	o.generation.Owners = make(map[ID]string, len(plan.Owners))
	out := make([]kmsg.SyncGroupRequestGroupAssignment, 0, len(members))
	for member, metadata := range members {
		o.generation.Members[member] = metadata.URL
		sa := kmsg.NewSyncGroupRequestGroupAssignment()
		sa.MemberID, sa.MemberAssignment = member, plan.Assignments[member].Append(nil)
		out = append(out, sa)
	}
	for id, member := range plan.Owners {
		o.generation.Owners[id] = members[member].URL
	}
	return out, nil
}

// needs returns what each connector needs. Among members that state the same it makes no difference, and is not looked up.
func (m *Member) needs(members map[string]Metadata, tasks map[string]int) map[string][]string {
	differ := slices.ContainsFunc(slices.Collect(maps.Values(members)), func(o Metadata) bool { return !slices.Equal(o.Classes, m.cfg.Classes) })
	if !differ || m.cfg.Needs == nil {
		return nil
	}
	needs := make(map[string][]string, len(tasks))
	for connector := range tasks {
		needs[connector] = m.cfg.Needs(connector)
	}
	return needs
}

func (m *Member) syncGroup(ctx context.Context, g Generation, plan []kmsg.SyncGroupRequestGroupAssignment) (Assignment, error) {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group = m.cfg.GroupID
	req.Generation, req.MemberID = g.Generation, g.MemberID
	req.ProtocolType, req.Protocol = kmsg.StringPtr(protocolType), kmsg.StringPtr(g.Protocol)
	req.GroupAssignment = plan
	resp, err := req.RequestWith(ctx, m.coordinator)
	if err != nil {
		return Assignment{}, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return Assignment{}, err
	}
	return DecodeAssignment(resp.MemberAssignment)
}
