package emrautoscaler.yarncheck;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.hadoop.util.VersionInfo;
import org.apache.hadoop.yarn.api.records.ContainerExitStatus;
import org.apache.hadoop.yarn.api.records.ContainerId;
import org.apache.hadoop.yarn.api.records.ContainerState;
import org.apache.hadoop.yarn.api.records.ContainerStatus;
import org.apache.hadoop.yarn.api.records.ExecutionType;
import org.apache.hadoop.yarn.api.records.NodeId;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.server.api.protocolrecords.NodeHeartbeatRequest;
import org.apache.hadoop.yarn.server.api.protocolrecords.NodeHeartbeatResponse;
import org.apache.hadoop.yarn.server.api.protocolrecords.RegisterNodeManagerRequest;
import org.apache.hadoop.yarn.server.api.protocolrecords.RegisterNodeManagerResponse;
import org.apache.hadoop.yarn.server.api.records.MasterKey;
import org.apache.hadoop.yarn.server.api.records.NodeAction;
import org.apache.hadoop.yarn.server.api.records.NodeHealthStatus;
import org.apache.hadoop.yarn.server.api.records.NodeStatus;

/** A node manager that runs nothing: it registers, sends heartbeats and says when its containers ended. */
final class FakeNode {
    static final long RUNS_UNTIL_STOPPED = Long.MAX_VALUE;
    private static final int VCORES = 4;

    final NodeId id;
    private final SteppedResourceManager rm;
    private final Map<ContainerId, Long> endsAt = new LinkedHashMap<>();
    private final MasterKey containerKey;
    private final MasterKey tokenKey;
    private int responseId;
    boolean isGone;

    FakeNode(SteppedResourceManager rm, String host, int mib) throws Exception {
        this.rm = rm;
        id = NodeId.newInstance(host, 8041);
        RegisterNodeManagerResponse answer = rm.getResourceTrackerService().registerNodeManager(
                RegisterNodeManagerRequest.newInstance(id, 8042, Resource.newInstance(mib, VCORES),
                        VersionInfo.getVersion(), new ArrayList<>(), new ArrayList<>()));
        if (answer.getNodeAction() != NodeAction.NORMAL) {
            throw new IllegalStateException("the node was refused: " + answer.getDiagnosticsMessage());
        }
        containerKey = answer.getContainerTokenMasterKey();
        tokenKey = answer.getNMTokenMasterKey();
        rm.events().drain();
    }

    /** Start a container that ends by itself at a time (ms). */
    void start(ContainerId container, long endsAtMillis) {
        endsAt.put(container, endsAtMillis);
    }

    /** Let a container end now: its application says that it is done. */
    void stop(ContainerId container) {
        endsAt.replace(container, 0L);
    }

    /** Send one heartbeat; the resource manager has dealt with it when this returns. */
    void heartbeat(long now) throws Exception {
        List<ContainerStatus> statuses = new ArrayList<>(endsAt.size());
        for (Iterator<Map.Entry<ContainerId, Long>> each = endsAt.entrySet().iterator(); each.hasNext();) {
            Map.Entry<ContainerId, Long> container = each.next();
            boolean ended = container.getValue() <= now;
            statuses.add(ContainerStatus.newInstance(container.getKey(), ExecutionType.GUARANTEED,
                    ended ? ContainerState.COMPLETE : ContainerState.RUNNING, "",
                    ended ? ContainerExitStatus.SUCCESS : ContainerExitStatus.INVALID));
            if (ended) {
                each.remove();
            }
        }
        NodeStatus status = NodeStatus.newInstance(id, responseId, statuses, new ArrayList<>(),
                NodeHealthStatus.newInstance(true, "", 0), null, null, new ArrayList<>());
        NodeHeartbeatResponse answer = rm.getResourceTrackerService().nodeHeartbeat(
                NodeHeartbeatRequest.newInstance(status, containerKey, tokenKey, null));
        rm.events().drain();
        if (answer.getNodeAction() == NodeAction.SHUTDOWN) {
            isGone = true;
            endsAt.clear();
        } else if (answer.getNodeAction() == NodeAction.RESYNC) {
            throw new IllegalStateException("out of step with the resource manager: " + id);
        } else {
            responseId = answer.getResponseId();
            answer.getContainersToCleanup().forEach(endsAt::remove);
        }
    }

    /** Whether nothing runs on it. */
    boolean isEmpty() {
        return endsAt.isEmpty();
    }
}
