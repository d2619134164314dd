package emrautoscaler.yarncheck;

import java.nio.ByteBuffer;
import java.security.PrivilegedExceptionAction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateRequest;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateResponse;
import org.apache.hadoop.yarn.api.protocolrecords.FinishApplicationMasterRequest;
import org.apache.hadoop.yarn.api.protocolrecords.GetNewApplicationRequest;
import org.apache.hadoop.yarn.api.protocolrecords.RegisterApplicationMasterRequest;
import org.apache.hadoop.yarn.api.protocolrecords.SubmitApplicationRequest;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.ApplicationSubmissionContext;
import org.apache.hadoop.yarn.api.records.Container;
import org.apache.hadoop.yarn.api.records.ContainerExitStatus;
import org.apache.hadoop.yarn.api.records.ContainerId;
import org.apache.hadoop.yarn.api.records.ContainerLaunchContext;
import org.apache.hadoop.yarn.api.records.ContainerStatus;
import org.apache.hadoop.yarn.api.records.FinalApplicationStatus;
import org.apache.hadoop.yarn.api.records.Priority;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.ResourceRequest;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMApp;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttempt;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttemptState;

/**
 * One job's client and application master: asks for the containers of each stage once its parents have ended.
 *
 * <p>Without memory of its own it is an unmanaged master, which takes no container: the simulator's model.
 */
final class FakeMaster {
    private final SteppedResourceManager rm;
    private final Map<String, FakeNode> nodes;
    private final Plan.Job job;
    private final int masterMib;
    private final int[] done;
    private final int[] toAsk;
    private final int[] outstanding;
    private final boolean[] opened;
    private final Map<ContainerId, Integer> stageOf = new HashMap<>();
    private final RMAppAttempt attempt;
    private UserGroupInformation user;
    private int responseId;
    private boolean isRegistered;
    long startedAt = -1;
    long endedAt = -1;
    long lostMillis;
    private final Map<ContainerId, Long> startOf = new HashMap<>();

    FakeMaster(SteppedResourceManager rm, Map<String, FakeNode> nodes, Plan.Job job, int masterMib) throws Exception {
        this.rm = rm;
        this.nodes = nodes;
        this.job = job;
        this.masterMib = masterMib;
        int stages = job.stages().size();
        done = new int[stages];
        toAsk = new int[stages];
        outstanding = new int[stages];
        opened = new boolean[stages];
        attempt = submit();
    }

    private RMAppAttempt submit() throws Exception {
        ApplicationId id = rm.getClientRMService()
                .getNewApplication(GetNewApplicationRequest.newInstance()).getApplicationId();
        ContainerLaunchContext launch = ContainerLaunchContext.newInstance(new HashMap<>(), new HashMap<>(),
                new ArrayList<>(), new HashMap<String, ByteBuffer>(), null, new HashMap<>());
        ApplicationSubmissionContext context = ApplicationSubmissionContext.newInstance(id, job.name(), "default",
                Priority.newInstance(0), launch, masterMib == 0, true, 1,
                Resource.newInstance(Math.max(masterMib, 32), 1), "yarn-check", false);
        rm.submit(SubmitApplicationRequest.newInstance(context));
        RMApp app = rm.getRMContext().getRMApps().get(id);
        rm.events().await(() -> "a scheduled attempt, but to " + app.getState() + ", "
                + (app.getCurrentAppAttempt() == null ? "no attempt" : app.getCurrentAppAttempt().getState())
                + " " + app.getDiagnostics(), () -> app.getCurrentAppAttempt() != null
                && (masterMib == 0 ? isLaunched(app) : isScheduled(app)));
        return app.getCurrentAppAttempt();
    }

    private static boolean isLaunched(RMApp app) {
        return app.getCurrentAppAttempt().getState() == RMAppAttemptState.LAUNCHED;
    }

    private static boolean isScheduled(RMApp app) {
        RMAppAttemptState state = app.getCurrentAppAttempt().getState();
        return state == RMAppAttemptState.SCHEDULED || state == RMAppAttemptState.ALLOCATED
                || state == RMAppAttemptState.LAUNCHED;
    }

    /** Whether the job has ended. */
    boolean isDone() {
        return endedAt >= 0;
    }

    /** Send one heartbeat, with what is to be asked for; the first one registers. */
    void heartbeat(long now) throws Exception {
        if (!isRegistered && !register(now)) {
            return;
        }
        openStages();
        AllocateResponse answer = allocate();
        for (ContainerStatus status : answer.getCompletedContainersStatuses()) {
            finishContainer(status, now);
        }
        for (Container container : answer.getAllocatedContainers()) {
            int stage = container.getPriority().getPriority() - 1;
            outstanding[stage]--;
            stageOf.put(container.getId(), stage);
            startOf.put(container.getId(), now);
            nodes.get(container.getNodeId().getHost()).start(
                    container.getId(), now + 1000L * job.stages().get(stage).seconds());
            if (startedAt < 0) {
                startedAt = now;
            }
        }
        if (allDone()) {
            finish(now);
        }
    }

    private boolean register(long now) throws Exception {
        // Its container, where it has one, is allocated and saved before the master can speak.
        RMAppAttemptState state = attempt.getState();
        if (state == RMAppAttemptState.ALLOCATED_SAVING || state == RMAppAttemptState.ALLOCATED) {
            rm.events().await(() -> "a launched master", () -> attempt.getState() == RMAppAttemptState.LAUNCHED);
        } else if (state != RMAppAttemptState.LAUNCHED) {
            return false;
        }
        if (masterMib > 0) {
            Container own = attempt.getMasterContainer();
            nodes.get(own.getNodeId().getHost()).start(own.getId(), FakeNode.RUNS_UNTIL_STOPPED);
        }
        user = UserGroupInformation.createRemoteUser(attempt.getAppAttemptId().toString());
        user.addTokenIdentifier(attempt.getAMRMToken().decodeIdentifier());
        asMaster(() -> rm.getApplicationMasterService().registerApplicationMaster(
                RegisterApplicationMasterRequest.newInstance("127.0.0.1", 0, "")));
        isRegistered = true;
        return true;
    }

    private void openStages() {
        for (int index = 0; index < opened.length; index++) {
            Plan.Stage stage = job.stages().get(index);
            boolean ready = true;
            for (int parent : stage.parents()) {
                ready &= done[parent] == job.stages().get(parent).tasks();
            }
            if (ready && !opened[index]) {
                opened[index] = true;
                toAsk[index] = stage.tasks();
            }
        }
    }

    private AllocateResponse allocate() throws Exception {
        List<ResourceRequest> asks = new ArrayList<>();
        for (int index = 0; index < toAsk.length; index++) {
            if (toAsk[index] > 0) {
                outstanding[index] += toAsk[index];
                toAsk[index] = 0;
                // An ask replaces what is pending: the containers allocated since the last heartbeat are not.
                int unfetched = unfetched(index);
                asks.add(ResourceRequest.newInstance(Priority.newInstance(index + 1), ResourceRequest.ANY,
                        Resource.newInstance(job.stages().get(index).mib(), 1), outstanding[index] - unfetched));
            }
        }
        AllocateResponse answer = asMaster(() -> rm.getApplicationMasterService().allocate(
                AllocateRequest.newBuilder().responseId(responseId).progress(0.5f)
                        .askList(asks).releaseList(new ArrayList<>()).build()));
        rm.events().drain();
        responseId = answer.getResponseId();
        return answer;
    }

    /** Containers of a stage that are allocated and that the master has not heard of. */
    private int unfetched(int stage) {
        return (int) rm.getResourceScheduler().getSchedulerAppInfo(attempt.getAppAttemptId())
                .getLiveContainers().stream()
                .filter(each -> each.getAllocatedPriority().getPriority() == stage + 1)
                .filter(each -> !stageOf.containsKey(each.getContainerId()))
                .count();
    }

    private void finishContainer(ContainerStatus status, long now) {
        Integer stage = stageOf.remove(status.getContainerId());
        if (stage == null) {
            return;
        }
        long began = startOf.remove(status.getContainerId());
        if (status.getExitStatus() == ContainerExitStatus.SUCCESS) {
            done[stage]++;
        } else {
            toAsk[stage]++;
            lostMillis += now - began;
        }
    }

    private boolean allDone() {
        for (int index = 0; index < done.length; index++) {
            if (done[index] < job.stages().get(index).tasks()) {
                return false;
            }
        }
        return true;
    }

    private void finish(long now) throws Exception {
        asMaster(() -> rm.getApplicationMasterService().finishApplicationMaster(
                FinishApplicationMasterRequest.newInstance(FinalApplicationStatus.SUCCEEDED, "", "")));
        rm.events().await(() -> "a finished attempt", () -> attempt.getState() == RMAppAttemptState.FINISHED
                || attempt.getState() == RMAppAttemptState.FINISHING);
        if (masterMib > 0) {
            Container own = attempt.getMasterContainer();
            nodes.get(own.getNodeId().getHost()).stop(own.getId());
        }
        endedAt = now;
    }

    private <T> T asMaster(PrivilegedExceptionAction<T> call) throws Exception {
        return user.doAs(call);
    }
}
