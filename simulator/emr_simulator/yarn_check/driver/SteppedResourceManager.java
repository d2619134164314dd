package emrautoscaler.yarncheck;

import org.apache.hadoop.yarn.api.protocolrecords.SubmitApplicationRequest;
import org.apache.hadoop.yarn.api.records.ApplicationAttemptId;
import org.apache.hadoop.yarn.event.Dispatcher;
import org.apache.hadoop.yarn.event.EventHandler;
import org.apache.hadoop.yarn.server.resourcemanager.ResourceManager;
import org.apache.hadoop.yarn.server.resourcemanager.amlauncher.AMLauncherEvent;
import org.apache.hadoop.yarn.server.resourcemanager.amlauncher.AMLauncherEventType;
import org.apache.hadoop.yarn.server.resourcemanager.amlauncher.ApplicationMasterLauncher;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttemptEvent;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttemptEventType;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.attempt.RMAppAttemptImpl;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.event.SchedulerEvent;

/**
 * Hadoop's ResourceManager as it is, but for three doors: its events are handled by the driver's thread,
 * application masters are not launched over the network, and no web server is opened.
 */
final class SteppedResourceManager extends ResourceManager {
    private final SteppedDispatcher dispatcher = new SteppedDispatcher();

    /** Its event queue. */
    SteppedDispatcher events() {
        return dispatcher;
    }

    /** What {@code rmadmin -refreshNodes -g} comes to: the exclude file is read again. */
    void refreshNodesGracefully(int timeoutSeconds) throws Exception {
        getRMContext().getNodesListManager().refreshNodesGracefully(getConfig(), timeoutSeconds);
        dispatcher.drain();
    }

    /** What a client's submission calls. */
    void submit(SubmitApplicationRequest request) throws Exception {
        getClientRMService().submitApplication(request);
    }

    @Override
    protected Dispatcher createDispatcher() {
        return dispatcher;
    }

    @Override
    protected EventHandler<SchedulerEvent> createSchedulerEventDispatcher() {
        return event -> scheduler.handle(event);
    }

    @Override
    protected ApplicationMasterLauncher createAMLauncher() {
        return new ApplicationMasterLauncher(getRMContext()) {
            @Override
            protected void serviceStart() {
                // No threads: nothing is launched over the network.
            }

            @Override
            protected void serviceStop() {
                // Nothing was started.
            }

            @Override
            @SuppressWarnings("unchecked")
            public void handle(AMLauncherEvent event) {
                if (event.getType() == AMLauncherEventType.LAUNCH) {
                    ApplicationAttemptId id = event.getAppAttempt().getAppAttemptId();
                    ((RMAppAttemptImpl) event.getAppAttempt()).setAMRMToken(
                            context.getAMRMTokenSecretManager().createAndGetAMRMToken(id));
                    dispatcher.getEventHandler().handle(
                            new RMAppAttemptEvent(id, RMAppAttemptEventType.LAUNCHED));
                }
            }
        };
    }

    @Override
    protected void startWepApp() {
        // The driver reads the values that the REST API serves from the class that fills them.
    }
}
