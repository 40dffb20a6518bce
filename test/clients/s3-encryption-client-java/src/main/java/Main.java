import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.encryption.s3.S3EncryptionClient;

/**
 * A program on the S3 Encryption Client for Java, with nothing of ours in it: put KEY-ARN BUCKET STAGE NAME FILE, or get KEY-ARN BUCKET STAGE
 * NAME…, which prints a line for each: its SHA-256, or the error.
 */
final class Main {
  public static void main(String[] words) throws Exception {
    String bucket = words[2];
    Map<String, String> context = Map.of("app", "shop", "stage", words[3]);
    try (S3EncryptionClient client =
        S3EncryptionClient.builderV4()
            .wrappedClient(S3Client.builder().forcePathStyle(true).build())
            .wrappedAsyncClient(S3AsyncClient.builder().forcePathStyle(true).build())
            .kmsKeyId(words[1])
            .build()) {
      if (words[0].equals("put")) {
        RequestBody body = RequestBody.fromBytes(Files.readAllBytes(Path.of(words[5])));
        client.putObject(
            request ->
                request
                    .bucket(bucket)
                    .key(words[4])
                    .overrideConfiguration(S3EncryptionClient.withAdditionalConfiguration(context)),
            body);
      } else {
        for (int n = 4; n < words.length; n++) System.out.println(opened(client, bucket, words[n], context));
      }
    }
  }

  private static String opened(S3EncryptionClient client, String bucket, String name, Map<String, String> context)
      throws Exception {
    try {
      byte[] body =
          client
              .getObjectAsBytes(
                  request ->
                      request
                          .bucket(bucket)
                          .key(name)
                          .overrideConfiguration(S3EncryptionClient.withAdditionalConfiguration(context)))
              .asByteArray();
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
    } catch (RuntimeException error) {
      StringBuilder text = new StringBuilder("refused:");
      for (Throwable cause = error; cause != null; cause = cause.getCause()) text.append(' ').append(cause);
      return text.toString().replace('\n', ' ');
    }
  }
}
