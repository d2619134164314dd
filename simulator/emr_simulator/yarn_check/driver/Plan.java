package emrautoscaler.yarncheck;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is to happen when, as resource_manager.py writes it: one tab-separated line for each thing. */
final class Plan {
    final List<Node> nodes = new ArrayList<>();
    final List<Drain> drains = new ArrayList<>();
    final List<Job> jobs = new ArrayList<>();

    /** A node that registers at a time. */
    record Node(String host, int mib, long upAt) { }

    /** A node that is asked to leave (or, with no deadline, to stay after all) at a time. */
    record Drain(String host, long at, long deadline, boolean isRecall) { }

    /** Tasks of one length and size. */
    record Stage(int tasks, int seconds, int mib, int[] parents) { }

    /** A job that is submitted at a time. */
    record Job(String name, long at, List<Stage> stages) { }

    static Plan read(Path path) throws Exception {
        Plan plan = new Plan();
        for (String line : Files.readAllLines(path)) {
            String[] words = line.split("\t");
            switch (words[0]) {
                case "node" -> plan.nodes.add(
                        new Node(words[1], Integer.parseInt(words[2]), Long.parseLong(words[3])));
                case "drain" -> plan.drains.add(
                        new Drain(words[1], Long.parseLong(words[2]), Long.parseLong(words[3]), false));
                case "recall" -> plan.drains.add(new Drain(words[1], Long.parseLong(words[2]), 0, true));
                case "job" -> plan.jobs.add(job(words));
                default -> throw new IllegalArgumentException("unknown line of the plan: " + line);
            }
        }
        return plan;
    }

    private static Job job(String[] words) {
        List<Stage> stages = new ArrayList<>();
        for (int index = 3; index < words.length; index++) {
            String[] parts = words[index].split(",", -1);
            String[] parents = parts[3].isEmpty() ? new String[0] : parts[3].split("\\+");
            int[] numbers = new int[parents.length];
            for (int each = 0; each < parents.length; each++) {
                numbers[each] = Integer.parseInt(parents[each]);
            }
            stages.add(new Stage(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]),
                    Integer.parseInt(parts[2]), numbers));
        }
        return new Job(words[1], Long.parseLong(words[2]), stages);
    }
}
