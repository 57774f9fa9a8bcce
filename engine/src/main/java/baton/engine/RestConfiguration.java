package baton.engine;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;

/** Closes the engine's REST interface, before any filter of the engine sees a request. */
@Configuration(proxyBeanMethods = false)
class RestConfiguration {

  @Bean
  static FilterRegistrationBean<ServiceToken> serviceToken(
      @Value("${" + Environment.TOKEN_PROPERTY + "}") String token,
      @Value("${spring.jersey.application-path}") String path) {
    var registration = new FilterRegistrationBean<>(new ServiceToken(token));
    registration.setName("service-token");
    // Long polls answer asynchronously; without this the container refuses them.
    registration.setAsyncSupported(true);
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
    registration.addUrlPatterns(path, path + "/*");
    return registration;
  }
}
