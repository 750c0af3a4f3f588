//! The client against this machine's engine, which must run.

use cloudpad_engine::Engine;

#[tokio::test]
async fn three_questions_are_three_requests() {
    let engine = Engine::local().await.unwrap();
    let version = engine.version().await.unwrap();
    assert!(version.api.starts_with("1.") && version.platform.starts_with("linux/"), "{version:?}");
    let docker = engine.docker().await.unwrap();
    docker.ping().await.unwrap();
    docker.info().await.unwrap();
    assert_eq!(engine.requests(), 3);
}
