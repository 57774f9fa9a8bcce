package baton.engine;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Collections;

/**
 * Lets a request through to the engine's REST interface only with {@code Authorization: Bearer <ENGINE_TOKEN>}.
 *
 * <p>A servlet filter and not the engine's AuthenticationProvider: the engine's own filter leaves {@code GET /engine}
 * open, its interface sits in another package in each engine, and it would name an engine user, which switches the
 * engine's authorization checks on. Whoever has the token may do everything; engine-api decides for people.
 */
final class ServiceToken implements Filter {

  private static final String SCHEME = "Bearer ";
  private static final byte[] REFUSAL =
      "{\"type\":\"NotAuthorised\",\"message\":\"The engine wants its service token: Authorization: Bearer <token>.\",\"code\":null}"
          .getBytes(StandardCharsets.UTF_8);

  private final byte[] expected;

  ServiceToken(String token) {
    this.expected = token.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (carriesToken((HttpServletRequest) request)) {
      chain.doFilter(request, response);
    } else {
      refuse((HttpServletResponse) response);
    }
  }

  private boolean carriesToken(HttpServletRequest request) {
    // More than one header would let a proxy and the engine look at different ones.
    var headers = Collections.list(request.getHeaders("Authorization"));
    if (headers.size() != 1 || !headers.get(0).regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return false;
    }
    byte[] given = headers.get(0).substring(SCHEME.length()).strip().getBytes(StandardCharsets.UTF_8);
    return MessageDigest.isEqual(expected, given);
  }

  private static void refuse(HttpServletResponse response) throws IOException {
    response.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
    response.setHeader("WWW-Authenticate", "Bearer");
    response.setContentType("application/json");
    response.setContentLength(REFUSAL.length);
    response.getOutputStream().write(REFUSAL);
  }
}
