package baton.engine;

import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** The process root: reads the environment, refuses to start on a missing secret, starts Spring. */
@SpringBootApplication(proxyBeanMethods = false)
public class EngineApplication {

  public static void main(String[] arguments) {
    Map<String, Object> properties;
    try {
      properties = Environment.of(System.getenv()).properties();
    } catch (Environment.Refused refusal) {
      System.err.println("baton-engine does not start: " + refusal.getMessage());
      System.exit(2);
      return;
    }
    SpringApplication application = new SpringApplication(EngineApplication.class);
    application.setDefaultProperties(properties);
    application.run(arguments);
  }
}
