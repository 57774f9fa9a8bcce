package baton.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Secrets from the environment, each as NAME or as NAME_FILE (a path), turned into Spring properties.
 *
 * <p>Everything that is not a secret stands in application.yaml, where the names are listed.
 */
final class Environment {

  static final String TOKEN_PROPERTY = "baton.engine.token";
  static final int TOKEN_MIN_LENGTH = 32;

  /** The engine cannot start like this; the message says what to set. */
  static final class Refused extends RuntimeException {
    Refused(String message) {
      super(message);
    }
  }

  private final Map<String, String> variables;

  private Environment(Map<String, String> variables) {
    this.variables = variables;
  }

  static Environment of(Map<String, String> variables) {
    return new Environment(variables);
  }

  Map<String, Object> properties() {
    Map<String, Object> properties = new HashMap<>();
    properties.put(TOKEN_PROPERTY, token());
    properties.put("spring.datasource.password", secret("POSTGRES_PASSWORD"));
    addAdministrator(properties);
    return properties;
  }

  private String token() {
    String token = secret("ENGINE_TOKEN");
    if (token.length() < TOKEN_MIN_LENGTH) {
      throw new Refused(
          "ENGINE_TOKEN (or ENGINE_TOKEN_FILE) must hold a service token of at least "
              + TOKEN_MIN_LENGTH + " characters; it has " + token.length());
    }
    return token;
  }

  /**
   * Without an administrator the web applications stay off: they would offer everybody who can reach them a page to
   * create the first one.
   */
  private void addAdministrator(Map<String, Object> properties) {
    String user = variables.getOrDefault("ENGINE_ADMIN_USER", "").strip();
    String password = secret("ENGINE_ADMIN_PASSWORD");
    if (user.isEmpty() != password.isEmpty()) {
      throw new Refused("set both ENGINE_ADMIN_USER and ENGINE_ADMIN_PASSWORD, or neither (then Cockpit is off)");
    }
    for (String prefix : new String[] {"camunda.bpm", "operaton.bpm"}) {
      if (user.isEmpty()) {
        properties.put(prefix + ".webapp.enabled", "false");
      } else {
        properties.put(prefix + ".admin-user.id", user);
        properties.put(prefix + ".admin-user.password", password);
      }
    }
  }

  private String secret(String name) {
    String path = variables.getOrDefault(name + "_FILE", "");
    if (path.isEmpty()) {
      return variables.getOrDefault(name, "").strip();
    }
    try {
      return Files.readString(Path.of(path)).strip();
    } catch (IOException error) {
      throw new Refused(name + "_FILE names " + path + ", which cannot be read: " + error.getMessage());
    }
  }
}
