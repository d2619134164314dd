package emrautoscaler.yarncheck;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import org.apache.hadoop.service.AbstractService;
import org.apache.hadoop.yarn.event.Dispatcher;
import org.apache.hadoop.yarn.event.Event;
import org.apache.hadoop.yarn.event.EventHandler;

/**
 * The resource manager's event queue, emptied by the driver's own thread.
 *
 * <p>This makes the clock compressible: nothing of one heartbeat is left undone when the next one comes,
 * however slow the machine is.
 */
@SuppressWarnings({"rawtypes", "unchecked"})
final class SteppedDispatcher extends AbstractService implements Dispatcher {
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private final ConcurrentLinkedQueue<Event> queue = new ConcurrentLinkedQueue<>();
    private final Map<Class<? extends Enum>, List<EventHandler>> handlers = new HashMap<>();

    SteppedDispatcher() {
        super("stepped dispatcher");
    }

    @Override
    public EventHandler<Event> getEventHandler() {
        return queue::add;
    }

    @Override
    public synchronized void register(Class<? extends Enum> type, EventHandler handler) {
        handlers.computeIfAbsent(type, key -> new ArrayList<>()).add(handler);
    }

    /** Handle every event that is queued, and those that they cause. */
    void drain() {
        for (Event event = queue.poll(); event != null; event = queue.poll()) {
            List<EventHandler> chosen = handlers.get(((Enum) event.getType()).getDeclaringClass());
            if (chosen == null) {
                throw new IllegalStateException("no handler for " + event.getType());
            }
            for (EventHandler handler : chosen) {
                handler.handle(event);
            }
        }
    }

    /** Drain until a condition holds: the state store answers from a thread of its own. */
    void await(Supplier<String> what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        drain();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("the resource manager never came to " + what.get());
            }
            Thread.sleep(0, 50_000);
            drain();
        }
    }
}
