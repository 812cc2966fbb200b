//! Protobuf encodings, compared with those of protobufjs in Baileys.

use baileys_native::proto::{
    AdvDeviceIdentity, AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac, CertChain, ClientPayload, DeviceProps,
    HandshakeMessage,
    cert_chain::noise_certificate::Details,
    client_payload::{
        ConnectReason, ConnectType, DevicePairingRegistrationData, UserAgent, WebInfo,
        user_agent::{AppVersion, Platform, ReleaseChannel},
        web_info::WebSubPlatform,
    },
    device_props::{self, HistorySyncConfig, PlatformType},
};
use prost::Message;
use serde_json::Value;

use crate::vectors::{bytes, items, load, text};

fn again<M: Message + Default>(encoded: &[u8]) -> Vec<u8> {
    M::decode(encoded).unwrap().encode_to_vec()
}

#[test]
fn every_field_of_every_message_survives_a_round_trip() {
    let recorded = load("noise-messages");
    for case in items(&recorded) {
        let name = text(&case["type"]);
        let recode = match name {
            "HandshakeMessage" => again::<HandshakeMessage>,
            "CertChain" => again::<CertChain>,
            "CertChain.NoiseCertificate.Details" => again::<Details>,
            "ClientPayload" => again::<ClientPayload>,
            "DeviceProps" => again::<DeviceProps>,
            "ADVSignedDeviceIdentityHMAC" => again::<AdvSignedDeviceIdentityHmac>,
            "ADVSignedDeviceIdentity" => again::<AdvSignedDeviceIdentity>,
            "ADVDeviceIdentity" => again::<AdvDeviceIdentity>,
            _ => panic!("no message {name}"),
        };
        for kind in ["full", "empty"] {
            let encoded = bytes(&case[kind]);
            assert_eq!(recode(&encoded), encoded, "{name}, {kind}");
        }
    }
    assert_eq!(items(&recorded).len(), 8);
}

fn number(value: &Value) -> u32 {
    value
        .as_u64()
        .and_then(|number| number.try_into().ok())
        .unwrap_or_else(|| panic!("not a number: {value}"))
}

/// The fields that registration and login have in common, as in Baileys' `validate-connection`.
fn client_payload(config: &Value) -> ClientPayload {
    let platform = text(&config["browser"][1]);
    let android = platform.to_lowercase().contains("android");
    let sub_platform = match text(&config["browser"][0]) {
        "Windows" if platform == "Desktop" && config["syncFullHistory"] == true => WebSubPlatform::Win32,
        _ => WebSubPlatform::WebBrowser,
    };
    let user_agent = UserAgent {
        platform: Some(if android { Platform::Android } else { Platform::Web }.into()),
        app_version: Some(AppVersion {
            primary: Some(number(&config["version"][0])),
            secondary: Some(number(&config["version"][1])),
            tertiary: Some(number(&config["version"][2])),
            ..Default::default()
        }),
        mcc: Some("000".into()),
        mnc: Some("000".into()),
        os_version: Some("0.1".into()),
        device: Some("Desktop".into()),
        os_build_number: Some("0.1".into()),
        release_channel: Some(ReleaseChannel::Release.into()),
        locale_language_iso6391: Some("en".into()),
        locale_country_iso31661_alpha2: Some(text(&config["countryCode"]).into()),
        ..Default::default()
    };
    ClientPayload {
        user_agent: Some(user_agent),
        web_info: (!android).then(|| WebInfo {
            web_sub_platform: Some(sub_platform.into()),
            ..Default::default()
        }),
        connect_type: Some(ConnectType::WifiUnknown.into()),
        connect_reason: Some(ConnectReason::UserActivated.into()),
        ..Default::default()
    }
}

fn device_props(config: &Value) -> DeviceProps {
    let platform_type = match text(&config["browser"][1]) {
        "Desktop" => PlatformType::Desktop,
        "Firefox" => PlatformType::Firefox,
        "Android" => PlatformType::AndroidPhone,
        _ => PlatformType::Chrome,
    };
    DeviceProps {
        os: Some(text(&config["browser"][0]).into()),
        version: Some(device_props::AppVersion {
            primary: Some(10),
            secondary: Some(15),
            tertiary: Some(7),
            ..Default::default()
        }),
        platform_type: Some(platform_type.into()),
        require_full_sync: config["syncFullHistory"].as_bool(),
        history_sync_config: Some(HistorySyncConfig {
            storage_quota_mb: Some(10240),
            inline_initial_payload_in_e2_ee_msg: Some(true),
            support_call_log_history: Some(false),
            support_bot_user_agent_chat_history: Some(true),
            support_cag_reactions_and_polls: Some(true),
            support_biz_hosted_msg: Some(true),
            support_recent_sync_chunk_message_count_tuning: Some(true),
            support_hosted_group_msg: Some(true),
            support_fbid_bot_chat_history: Some(true),
            support_message_association: Some(true),
            support_group_history: Some(false),
            ..Default::default()
        }),
    }
}

/// The MD5 of the version is copied from the recording. The payload tests of the session check it.
fn registration(case: &Value) -> ClientPayload {
    let recorded = &case["registration"];
    let encoded = ClientPayload::decode(bytes(&recorded["encoded"]).as_slice()).unwrap();
    let build_hash = encoded.device_pairing_data.unwrap().build_hash;
    assert_eq!(build_hash.as_ref().map(Vec::len), Some(16));
    ClientPayload {
        passive: Some(false),
        pull: Some(false),
        device_pairing_data: Some(DevicePairingRegistrationData {
            e_regid: Some(number(&recorded["registrationId"]).to_be_bytes().to_vec()),
            e_keytype: Some(vec![5]),
            e_ident: Some(bytes(&recorded["identityPublic"])),
            e_skey_id: Some(number(&recorded["signedPreKeyId"]).to_be_bytes()[1..].to_vec()),
            e_skey_val: Some(bytes(&recorded["signedPreKeyPublic"])),
            e_skey_sig: Some(bytes(&recorded["signedPreKeySignature"])),
            build_hash,
            device_props: Some(device_props(&case["config"]).encode_to_vec()),
        }),
        ..client_payload(&case["config"])
    }
}

fn login(case: &Value, recorded: &Value) -> ClientPayload {
    let (user, device) = text(&recorded["jid"])
        .split_once('@')
        .unwrap()
        .0
        .split_once(':')
        .map_or_else(
            || (text(&recorded["jid"]).split_once('@').unwrap().0, None),
            |(user, device)| (user, device.parse().ok()),
        );
    ClientPayload {
        username: user.parse().ok(),
        passive: Some(true),
        pull: Some(true),
        device,
        lid_db_migrated: Some(false),
        push_name: recorded["pushName"].as_str().map(str::to_owned),
        ..client_payload(&case["config"])
    }
}

#[test]
fn registration_and_login_payloads_are_equal_byte_for_byte() {
    let recorded = load("noise-payloads");
    for case in items(&recorded) {
        let name = text(&case["name"]);
        assert_eq!(
            registration(case).encode_to_vec(),
            bytes(&case["registration"]["encoded"]),
            "{name}"
        );
        for kind in ["login", "loginWithPushName"] {
            let encoded = bytes(&case[kind]["encoded"]);
            assert_eq!(login(case, &case[kind]).encode_to_vec(), encoded, "{name}, {kind}");
        }
    }
    assert_eq!(items(&recorded).len(), 4);
}
