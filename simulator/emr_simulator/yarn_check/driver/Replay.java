package emrautoscaler.yarncheck;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeSet;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.api.records.NodeState;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNode;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNodeEvent;
import org.apache.hadoop.yarn.server.resourcemanager.rmnode.RMNodeEventType;
import org.apache.hadoop.yarn.server.resourcemanager.webapp.dao.ClusterMetricsInfo;

/**
 * Plays a plan on a real ResourceManager in virtual milliseconds and writes down what it did.
 *
 * <p>Arguments: plan, answer, work folder, scheduler (fifo or capacity), heartbeat of nodes (ms), heartbeat
 * of masters (ms), memory of a master's container (MiB, 0 for none).
 */
public final class Replay {
    private static final long SAMPLE_MILLIS = 1000;
    private static final int NEVER_SECONDS = 1_000_000;
    private static final String SCHEDULERS = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.";

    /** Something that happens at a time. */
    private interface Action {
        void run(long now) throws Exception;
    }

    private record Due(long at, long order, Action action) { }

    private final PriorityQueue<Due> due = new PriorityQueue<>((one, other) -> one.at != other.at
            ? Long.compare(one.at, other.at) : Long.compare(one.order, other.order));
    private final SteppedResourceManager rm = new SteppedResourceManager();
    private final Map<String, FakeNode> nodes = new HashMap<>();
    private final Map<FakeMaster, Plan.Job> masters = new LinkedHashMap<>();
    private final Map<String, Long> deadlines = new LinkedHashMap<>();
    private final Map<String, Long> emptyAt = new HashMap<>();
    private final TreeSet<String> excluded = new TreeSet<>();
    private final Plan plan;
    private final Path excludes;
    private final PrintWriter out;
    private final long nodeBeat;
    private final long masterBeat;
    private final int masterMib;
    private long order;
    private int jobsLeft;
    private int drainsLeft;

    private Replay(String[] args) throws Exception {
        plan = Plan.read(Path.of(args[0]));
        out = new PrintWriter(Files.newBufferedWriter(Path.of(args[1])));
        Path work = Path.of(args[2]).toAbsolutePath();
        excludes = work.resolve("excluded-nodes");
        nodeBeat = Long.parseLong(args[4]);
        masterBeat = Long.parseLong(args[5]);
        masterMib = Integer.parseInt(args[6]);
        writeExcludes();
        rm.init(configuration(work, args[3]));
        rm.start();
        rm.events().drain();
    }

    public static void main(String[] args) {
        // The resource manager leaves threads behind that keep a process alive: it ends by exit, well or not.
        try {
            Replay replay = new Replay(args);
            replay.run();
            replay.out.close();
            Runtime.getRuntime().halt(0);
        } catch (Throwable problem) {
            problem.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private Configuration configuration(Path work, String scheduler) {
        YarnConfiguration conf = new YarnConfiguration();
        for (String address : new String[] {
            YarnConfiguration.RM_ADDRESS, YarnConfiguration.RM_SCHEDULER_ADDRESS, YarnConfiguration.RM_ADMIN_ADDRESS,
            YarnConfiguration.RM_RESOURCE_TRACKER_ADDRESS, YarnConfiguration.RM_WEBAPP_ADDRESS}) {
            conf.set(address, "127.0.0.1:0");
        }
        for (String threads : new String[] {
            YarnConfiguration.RM_CLIENT_THREAD_COUNT, YarnConfiguration.RM_SCHEDULER_CLIENT_THREAD_COUNT,
            YarnConfiguration.RM_RESOURCE_TRACKER_CLIENT_THREAD_COUNT}) {
            conf.setInt(threads, 1);
        }
        conf.set("hadoop.tmp.dir", work.toString());
        conf.set(YarnConfiguration.RM_SCHEDULER, SCHEDULERS
                + (scheduler.equals("fifo") ? "fifo.FifoScheduler" : "capacity.CapacityScheduler"));
        conf.set(YarnConfiguration.RM_NODES_EXCLUDE_FILE_PATH, excludes.toString());
        conf.setInt(YarnConfiguration.RM_SCHEDULER_MINIMUM_ALLOCATION_MB, 32);
        conf.setInt(YarnConfiguration.RM_SCHEDULER_MAXIMUM_ALLOCATION_MB, 12288);
        conf.setInt(YarnConfiguration.RM_MAX_COMPLETED_APPLICATIONS, 100_000);
        conf.set("yarn.scheduler.capacity.root.queues", "default");
        conf.set("yarn.scheduler.capacity.root.default.capacity", "100");
        conf.set("yarn.scheduler.capacity.root.default.maximum-am-resource-percent", "1.0");
        conf.set("yarn.scheduler.capacity.maximum-applications", "100000");
        conf.set("yarn.scheduler.capacity.resource-calculator",
                "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator");
        // No request names a host or rack: one container for each heartbeat would be a limit on S3's readers.
        conf.set("yarn.scheduler.capacity.per-node-heartbeat.maximum-offswitch-assignments", "100");
        return conf;
    }

    // ------------------------------------------------------------------ the clock

    private void at(long millis, Action action) {
        due.add(new Due(millis, order++, action));
    }

    private void run() throws Exception {
        jobsLeft = plan.jobs.size();
        drainsLeft = plan.drains.size();
        int number = 0;
        for (Plan.Node node : plan.nodes) {
            // Nodes beat out of step, evenly spread over the interval.
            long phase = Math.floorMod(number++ * 618_034L, 1_000_000L) * nodeBeat / 1_000_000L;
            at(node.upAt(), now -> register(node, now, phase));
        }
        for (Plan.Drain drain : plan.drains) {
            at(drain.at(), now -> change(drain, now));
        }
        for (Plan.Job job : plan.jobs) {
            at(job.at(), now -> submit(job, now));
        }
        at(0, this::sample);
        while (jobsLeft > 0 || drainsLeft > 0 || !deadlines.isEmpty()) {
            Due next = due.remove();
            next.action.run(next.at);
        }
        masters.forEach((master, job) -> out.printf("job\t%s\t%d\t%d\t%d\t%d%n",
                job.name(), job.at(), master.startedAt, master.endedAt, master.lostMillis));
    }

    // ------------------------------------------------------------------ nodes

    private void register(Plan.Node planned, long now, long phase) throws Exception {
        FakeNode node = new FakeNode(rm, planned.host(), planned.mib());
        nodes.put(planned.host(), node);
        at(now + phase, time -> beat(planned.host(), node, time));
    }

    private void beat(String host, FakeNode node, long now) throws Exception {
        if (!node.isGone) {
            node.heartbeat(now);
        }
        RMNode seen = rm.getRMContext().getRMNodes().get(node.id);
        boolean left = node.isGone || seen == null || seen.getState() == NodeState.DECOMMISSIONED;
        if (deadlines.containsKey(host)) {
            if (node.isEmpty() && !node.isGone) {
                emptyAt.putIfAbsent(host, now);
            }
            if (left) {
                leave(host, now, false);
            } else if (now >= deadlines.get(host)) {
                force(node);
                leave(host, now, true);
                left = true;
            }
        }
        if (!left) {
            at(now + nodeBeat, time -> beat(host, node, time));
        }
    }

    private void leave(String host, long now, boolean forced) {
        out.printf("left\t%s\t%d\t%d\t%d%n", host, emptyAt.getOrDefault(host, now), now, forced ? 1 : 0);
        deadlines.remove(host);
    }

    /** What the watcher of decommissioning nodes does at the timeout, in the plan's time instead of its own. */
    private void force(FakeNode node) {
        node.isGone = true;
        rm.events().getEventHandler().handle(new RMNodeEvent(node.id, RMNodeEventType.DECOMMISSION));
        rm.events().drain();
    }

    private void change(Plan.Drain drain, long now) throws Exception {
        drainsLeft--;
        if (drain.isRecall()) {
            if (deadlines.remove(drain.host()) == null) {
                out.printf("norecall\t%s\t%d%n", drain.host(), now);
                return;
            }
            excluded.remove(drain.host());
            emptyAt.remove(drain.host());
        } else {
            excluded.add(drain.host());
            deadlines.put(drain.host(), drain.deadline());
        }
        writeExcludes();
        rm.refreshNodesGracefully(NEVER_SECONDS);
    }

    private void writeExcludes() throws Exception {
        Files.write(excludes, excluded);
    }

    // ------------------------------------------------------------------ work

    private void submit(Plan.Job job, long now) throws Exception {
        FakeMaster master = new FakeMaster(rm, nodes, job, masterMib);
        masters.put(master, job);
        talk(master, now);
    }

    private void talk(FakeMaster master, long now) throws Exception {
        master.heartbeat(now);
        if (master.isDone()) {
            jobsLeft--;
        } else {
            at(now + masterBeat, time -> talk(master, time));
        }
    }

    // ------------------------------------------------------------------ what it shows

    private void sample(long now) {
        ClusterMetricsInfo seen = new ClusterMetricsInfo(rm);
        List<Object> values = new ArrayList<>(List.of("sample", now, seen.getAllocatedMB(), seen.getPendingMB(),
                seen.getContainersAllocated(), seen.getPendingContainers(), seen.getAppsPending(),
                seen.getAppsRunning(), seen.getTotalMB(), seen.getActiveNodes(), seen.getDecommissioningNodes(),
                seen.getReservedMB(), seen.getTotalVirtualCores(), seen.getTotalNodes()));
        out.println(String.join("\t", values.stream().map(String::valueOf).toList()));
        at(now + SAMPLE_MILLIS, this::sample);
    }
}
