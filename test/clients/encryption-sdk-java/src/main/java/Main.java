import com.amazonaws.encryptionsdk.AwsCrypto;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.cryptography.materialproviders.IKeyring;
import software.amazon.cryptography.materialproviders.MaterialProviders;
import software.amazon.cryptography.materialproviders.model.CollectionOfErrors;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsKeyringInput;
import software.amazon.cryptography.materialproviders.model.MaterialProvidersConfig;

/**
 * A program on the AWS Encryption SDK for Java, with nothing of ours in it: encrypt KEY-ARN TEXT OUT, or decrypt KEY-ARN IN…, a line for
 * each.
 */
final class Main {
  private static final AwsCrypto CRYPTO = AwsCrypto.standard();

  public static void main(String[] words) throws Exception {
    MaterialProviders providers =
        MaterialProviders.builder().MaterialProvidersConfig(MaterialProvidersConfig.builder().build()).build();
    IKeyring keyring =
        providers.CreateAwsKmsKeyring(
            CreateAwsKmsKeyringInput.builder().kmsKeyId(words[1]).kmsClient(KmsClient.create()).build());
    if (words[0].equals("encrypt")) {
      byte[] text = words[2].getBytes(StandardCharsets.UTF_8);
      Map<String, String> context = Map.of("app", "shop", "stage", "live");
      Files.write(Path.of(words[3]), CRYPTO.encryptData(keyring, text, context).getResult());
    } else {
      for (int n = 2; n < words.length; n++) System.out.println(opened(keyring, Path.of(words[n])));
    }
  }

  private static String opened(IKeyring keyring, Path path) throws Exception {
    try {
      return new String(CRYPTO.decryptData(keyring, Files.readAllBytes(path)).getResult(), StandardCharsets.UTF_8);
    } catch (CollectionOfErrors errors) {
      return ("refused: " + errors.list()).replace('\n', ' ');
    }
  }
}
