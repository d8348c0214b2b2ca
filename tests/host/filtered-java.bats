# check: all
# host: own
# packages: openjdk-17-jdk-headless
# Network=filtered: a Java program, which knows nothing of proxies, tries to upgrade to HTTP/2 and remembers addresses.
load lib
load internet

setup_file() {
	make_person nel
	make_project nel net >/dev/null
	internet
	as_person nel tee /home/nel/net/Get.java >/dev/null <<-'X'
		import java.net.*;
		import java.net.http.*;

		class Get {
			public static void main(String[] args) throws Exception {
				HttpClient client = HttpClient.newHttpClient();
				for (String url : args)
					try {
						HttpRequest r = HttpRequest.newBuilder(URI.create(url)).build();
						System.out.print(client.send(r, HttpResponse.BodyHandlers.ofString()).body());
						URLConnection c = new URL(url).openConnection();
						System.out.print(new String(c.getInputStream().readAllBytes()));
					} catch (Exception e) {
						System.out.println(e);
					}
			}
		}
	X
	as_person nel clsecure add /home/nel/net --name netapp Network=filtered Linger=10min AllowDomains=web.test
}

teardown_file() {
	as_person nel clsecure remove --yes netapp
	internet_end
}

@test "java, by http and https, with both of its clients" {
	run as_person nel clsecure exec netapp sh -c 'cd /home/nel/net && java Get.java http://web.test/ https://web.test/'
	assert_output 'web.test for 203.0.113.1
web.test for 203.0.113.1
web.test for 203.0.113.1
web.test for 203.0.113.1'
	run as_person nel clsecure exec netapp sh -c 'cd /home/nel/net && java Get.java http://evil.test/'
	assert_has ConnectException
	not_asked evil.test
}
